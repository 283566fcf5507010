// Language models: GPT-2, Llama, and the modern GPT of torch_nn/modern_gpt.py.

// What sets Llama apart (torch_nn/gpt.py).
const LLAMA = { norm: "rms", activation: "swiglu", causal: true, rotated: true };
const GPT2 = { norm: "layer", activation: "gelu", causal: true };

class GPT {
  constructor(arrays, { model }) {
    const llama = model.architecture === "llama";
    const shape = { heads: model.n_heads, ...(llama ? LLAMA : GPT2) };
    this.context = model.context;
    this.embedding = arrays["embedding.weight"];
    const sinusoidal = !llama && model.positions === "sinusoidal";
    this.scale = sinusoidal ? Math.sqrt(model.d_model) : 1;
    this.positions = sinusoidal
      ? sinusoids(model.context, model.d_model)
      : arrays["positions.embedding.weight"]; // none of Llama, whose positions turn
    this.blocks = new Encoder(arrays, "blocks", model.n_layers, shape);
    // Tied, the embedding is also the output projection (Press and Wolf 2017).
    this.out = { weight: arrays["output_projection.weight"] ?? this.embedding };
  }
  newCaches() {
    return this.blocks.layers.map((one) => one.attention.newCache(this.context));
  }
  // Tokens after those in the caches -> logits (T, V) of each next token, and of each layer the
  // weights of each head (T, Tk).
  forward(tokens, caches) {
    let x = embed(this.embedding, tokens, this.scale); // (T, C)
    const start = caches[0].length;
    if (this.positions) x = add(x, this.positions.slice(start, start + tokens.length));
    const { output, weights } = this.blocks.forward(x, caches);
    return { logits: linear(output, this.out), weights };
  }
}

// Tokens that a short convolution reads: this one and the three before it.
const KERNEL = 4;
// No logit leaves (-15, 15).
const CAP = 15;

// y_t = x_t + sum_j w_j * x_(t - j), each channel by itself: x (T, C), weight (C, KERNEL).
// recent (KERNEL - 1, C): the inputs before x, which move on to the last ones of x.
function shortConvolution(x, weight, recent) {
  const around = new Matrix(recent.rows + x.rows, x.columns);
  around.data.set(recent.data);
  around.data.set(x.data, recent.data.length);
  const y = new Matrix(x.rows, x.columns, x.data.slice());
  for (let j = 0; j < KERNEL; j++)
    for (let t = 0; t < x.rows; t++) {
      const from = around.row(t + j);
      const to = y.row(t);
      for (let c = 0; c < x.columns; c++) to[c] += weight.data[c * KERNEL + j] * from[c];
    }
  recent.data.set(around.slice(x.rows).data);
  return y;
}

// Causal attention with rotary positions, normalised queries and keys, a gain for each head, and
// values that are averaged with the first block's.
class ModernAttention {
  constructor(arrays, name, heads) {
    for (const part of ["query", "key", "value", "output"])
      this[part] = layer(arrays, `${name}.${part}_projection`);
    this.gain = arrays[`${name}.gain`].data; // (H)
    this.heads = heads;
    this.width = this.query.weight.rows / heads;
  }
  // Each head by itself: x (T, H D), whose rows are cut into H, normalised, and joined again.
  normalised(x) {
    const heads = new Matrix(x.rows * this.heads, this.width, x.data);
    return new Matrix(x.rows, x.columns, rmsNorm(heads).data);
  }
  // x (T, C); firstValues (T, C), none in the first block.
  forward(x, firstValues, cache) {
    const rotated = (weights) =>
      rotary(this.normalised(linear(x, weights)), this.width, cache.length); // (T, H D)
    const q = rotated(this.query);
    q.data.forEach((value, i) => {
      q.data[i] = value * this.gain[Math.floor((i % q.columns) / this.width)];
    });
    const values = linear(x, this.value); // (T, H D)
    const mixed = firstValues ? combine(values, firstValues, (a, b) => (a + b) / 2) : values;
    const [k, v] = cache.extend(rotated(this.key), mixed); // (Tk, H D)
    const { output, weights } = attention(q, k, v, this.heads, true);
    return { output: linear(output, this.output), weights, values };
  }
}

// x <- a x + b e;  x <- x + attention(conv(norm(x)));  x <- x + feed_forward(conv(norm(x)))
class ModernBlock {
  constructor(arrays, name, heads) {
    this.mix = arrays[`${name}.mix`].data; // a, b
    this.attention = new ModernAttention(arrays, `${name}.attention`, heads);
    this.convolutions = ["attention", "feed_forward"].map(
      (kind) => arrays[`${name}.${kind}_convolution.weight`],
    );
    this.feedForward = new FeedForward(arrays, name, "relu squared");
  }
  newCache(capacity, channels) {
    const cache = new Cache(capacity, channels);
    cache.recent = this.convolutions.map(() => new Matrix(KERNEL - 1, channels));
    return cache;
  }
  // x and the embeddings e (T, C).
  forward(x, e, firstValues, cache) {
    const [a, b] = this.mix;
    const convolved = (n) => shortConvolution(rmsNorm(x), this.convolutions[n], cache.recent[n]);
    x = combine(x, e, (x, e) => a * x + b * e);
    const { output, weights, values } = this.attention.forward(convolved(0), firstValues, cache);
    x = add(x, output);
    x = add(x, this.feedForward.forward(convolved(1)));
    return { output: x, weights, values };
  }
}

class ModernGPT {
  constructor(arrays, { model }) {
    this.context = model.context;
    this.embedding = arrays["embedding.weight"];
    this.blocks = Array.from(
      { length: model.n_layers },
      (_, n) => new ModernBlock(arrays, `blocks.${n}`, model.n_heads),
    );
    this.out = layer(arrays, "output_projection");
  }
  newCaches() {
    return this.blocks.map((block) => block.newCache(this.context, this.embedding.columns));
  }
  // As GPT's.
  forward(tokens, caches) {
    const e = rmsNorm(embed(this.embedding, tokens)); // (T, C)
    let x = e;
    let firstValues = null;
    const weights = this.blocks.map((block, n) => {
      const found = block.forward(x, e, firstValues, caches[n]);
      firstValues ??= found.values;
      x = found.output;
      return found.weights;
    });
    const logits = linear(rmsNorm(x), this.out).map((z) => CAP * Math.tanh(z / CAP)); // (T, V)
    return { logits, weights };
  }
}

const languageModel = (arrays, about) =>
  new (about.model.architecture === "modern" ? ModernGPT : GPT)(arrays, about);
