// Encoder and decoder (Vaswani et al. 2017, figure 1), pre-norm: y = x + f(norm(x)).

const ACTIVATIONS = { gelu, "relu squared": reluSquared, swiglu: silu };

// A norm by its weights: without a bias it may be either kind, so the model says which.
const norm = (kind, x, weights) => (kind === "rms" ? rmsNorm(x, weights) : layerNorm(x, weights));

// FFN(x) = act(x W_1 + b_1) W_2 + b_2; with a gate, act(x W_g) * (x W_1) instead of act.
class FeedForward {
  constructor(arrays, name, activation) {
    this.up = layer(arrays, `${name}.up_projection`);
    this.down = layer(arrays, `${name}.down_projection`);
    this.gate = activation === "swiglu" ? layer(arrays, `${name}.gate_projection`) : null;
    this.activation = ACTIVATIONS[activation];
  }
  forward(x) {
    const hidden = linear(x, this.up); // (T, d_ff)
    if (!this.gate) return linear(hidden.map(this.activation), this.down); // (T, C)
    const gate = linear(x, this.gate).map(this.activation); // (T, d_ff)
    return linear(combine(gate, hidden, (a, b) => a * b), this.down); // (T, C)
  }
}

// shape: { heads, activation, norm, causal, rotated }.
class EncoderLayer {
  constructor(arrays, name, shape) {
    this.kind = shape.norm;
    this.attention = new MultiHeadAttention(arrays, `${name}.attention.inner`, shape.heads, shape);
    this.attentionNorm = layer(arrays, `${name}.attention.norm`);
    this.feedForward = new FeedForward(arrays, `${name}.feed_forward.inner`, shape.activation);
    this.feedForwardNorm = layer(arrays, `${name}.feed_forward.norm`);
  }
  // x (T, C) -> output (T, C), and the weights of each head (T, Tk).
  forward(x, cache) {
    const asked = norm(this.kind, x, this.attentionNorm);
    const { output, weights } = this.attention.forward(asked, { cache });
    x = add(x, output);
    x = add(x, this.feedForward.forward(norm(this.kind, x, this.feedForwardNorm)));
    return { output: x, weights };
  }
}

class Encoder {
  constructor(arrays, name, count, shape) {
    this.kind = shape.norm;
    this.layers = Array.from(
      { length: count },
      (_, n) => new EncoderLayer(arrays, `${name}.layers.${n}`, shape),
    );
    this.norm = layer(arrays, `${name}.norm`);
  }
  // x (T, C) -> output (T, C), and of each layer the weights of each head. caches: one per layer.
  forward(x, caches = []) {
    const weights = [];
    this.layers.forEach((one, n) => {
      const found = one.forward(x, caches[n]);
      x = found.output;
      weights.push(found.weights);
    });
    return { output: norm(this.kind, x, this.norm), weights };
  }
}

class DecoderLayer {
  constructor(arrays, name, shape) {
    const part = (kind, causal) =>
      new MultiHeadAttention(arrays, `${name}.${kind}.inner`, shape.heads, { causal });
    this.self = part("self_attention", true);
    this.cross = part("cross_attention", false);
    this.feedForward = new FeedForward(arrays, `${name}.feed_forward.inner`, shape.activation);
    this.norms = ["self_attention", "cross_attention", "feed_forward"].map((kind) =>
      layer(arrays, `${name}.${kind}.norm`),
    );
  }
  // x (Tq, C): the target's tokens after those in the caches { self, cross }; memory (Tk, C).
  // Returns output (Tq, C) and the weights of cross-attention, of each head (Tq, Tk).
  forward(x, memory, caches) {
    const [first, second, third] = this.norms;
    x = add(x, this.self.forward(layerNorm(x, first), { cache: caches.self }).output);
    const asked = { memory, cache: caches.cross };
    const { output, weights } = this.cross.forward(layerNorm(x, second), asked);
    x = add(x, output);
    x = add(x, this.feedForward.forward(layerNorm(x, third)));
    return { output: x, weights };
  }
}

// Source tokens in, target tokens out, as seq2seq.model builds it.
class Transformer {
  constructor(arrays, about) {
    const { n_heads: heads, n_encoder_layers: encoding, n_decoder_layers: decoding } = about.model;
    const shape = { heads, activation: "gelu", norm: "layer" };
    this.source = arrays["source_embedding.weight"];
    this.target = arrays["target_embedding.weight"]; // the output projection, too
    this.scale = Math.sqrt(this.source.columns);
    this.encoder = new Encoder(arrays, "encoder", encoding, shape);
    this.decoder = Array.from(
      { length: decoding },
      (_, n) => new DecoderLayer(arrays, `decoder.layers.${n}`, shape),
    );
    this.norm = layer(arrays, "decoder.norm");
  }
  // Tokens, the first at position `start`, with their positions -> (T, C).
  embedded(table, tokens, start = 0) {
    const positions = sinusoids(start + tokens.length, table.columns).slice(start);
    return add(embed(table, tokens, this.scale), positions);
  }
  // Source tokens -> memory (Ts, C).
  encode(source) {
    return this.encoder.forward(this.embedded(this.source, source)).output;
  }
  newCaches(sourceLength, targetLength) {
    return this.decoder.map((one) => ({
      self: one.self.newCache(targetLength),
      cross: one.cross.newCache(sourceLength),
    }));
  }
  // Target tokens after those in the caches -> logits (Tt, V) of each next token, and of each layer
  // the weights of cross-attention, of each head (Tt, Ts).
  decode(target, memory, caches) {
    let x = this.embedded(this.target, target, caches[0].self.length);
    const weights = this.decoder.map((one, n) => {
      const found = one.forward(x, memory, caches[n]);
      x = found.output;
      return found.weights;
    });
    return { logits: linear(layerNorm(x, this.norm), { weight: this.target }), weights };
  }
  // The likeliest next token, again and again, up to `end` or `longest` tokens. Returns the tokens
  // without the start, and of each of them the weights of cross-attention, as `decode` has them.
  translate(source, start, end, longest) {
    const memory = this.encode(source);
    const caches = this.newCaches(source.length, longest);
    const tokens = [];
    const attention = [];
    for (let token = start; tokens.length < longest && token !== end; ) {
      const { logits, weights } = this.decode([token], memory, caches);
      token = likeliest(logits.data);
      tokens.push(token);
      attention.push(weights);
    }
    return { tokens, attention };
  }
}
