// The encoder-only classifier of DNA (torch_nn/dna_classifier.py), of nucleotides.
//
// Letters of the shape comments: T letters, P places (T, or fewer behind a stem that pools),
// C channels, N classes.

const NUCLEOTIDES = "ACGTN";

// x (T, I), weight (O, I K), bias (O): kernels of K places, zeros beyond the ends -> (T, O).
function convolution(x, { weight, bias }) {
  const kernel = weight.columns / x.columns;
  const windows = new Matrix(x.rows, weight.columns); // (T, I K): what each kernel lies on
  for (let t = 0; t < x.rows; t++) {
    const to = windows.row(t);
    for (let j = 0; j < kernel; j++) {
      const at = t + j - (kernel - 1) / 2;
      if (at >= 0 && at < x.rows) x.row(at).forEach((value, i) => (to[i * kernel + j] = value));
    }
  }
  return linear(windows, { weight, bias });
}

// The largest of each `pool` places, the last few too: (T, C) -> (T / pool, rounded up, C).
function maxPool(x, pool) {
  const y = new Matrix(Math.ceil(x.rows / pool), x.columns);
  y.data.fill(-Infinity);
  for (let t = 0; t < x.rows; t++) {
    const to = y.row(Math.floor(t / pool));
    x.row(t).forEach((value, c) => {
      to[c] = Math.max(to[c], value);
    });
  }
  return y;
}

// Batch normalisation as it is after the training: a factor and a summand for each channel.
function batchNorm(x, arrays, name, eps = 1e-5) {
  const [mean, variance] = ["mean", "var"].map((kind) => arrays[`${name}.running_${kind}`].data);
  const { weight, bias } = layer(arrays, name);
  return new Matrix(
    x.rows,
    x.columns,
    x.data.map((value, i) => {
      const c = i % x.columns;
      return ((value - mean[c]) / Math.sqrt(variance[c] + eps)) * weight.data[c] + bias.data[c];
    }),
  );
}

class DNAClassifier {
  constructor(arrays, about) {
    const { model } = about;
    this.arrays = arrays;
    this.about = about;
    this.pools = model.stem_kernel ? model.stem_pools : [];
    const factor = this.pools.reduce((a, b) => a * b, 1);
    this.places = Math.ceil(about.length / factor); // P at most
    const shape = { heads: model.n_heads, activation: "gelu", norm: "layer" };
    shape.rotated = model.positions === "rotary";
    this.encoder = new Encoder(arrays, "encoder", model.n_layers, shape);
    const learned = arrays["positions.embedding.weight"];
    this.positions =
      model.positions === "sinusoidal" ? sinusoids(this.places, model.d_model) : learned;
  }
  // Numbers of letters, at most about.length -> logits (1, N).
  forward(letters) {
    let x = embed(this.arrays["embedding.weight"], letters); // (T, I)
    this.pools.forEach((pool, n) => {
      let y = maxPool(convolution(x, layer(this.arrays, `stem.${n}.convolution`)), pool); // (P, C)
      if (this.about.model.stem_norm) y = batchNorm(y, this.arrays, `stem.${n}.norm`);
      y = y.map(gelu);
      x = x.rows === y.rows && x.columns === y.columns ? add(x, y) : y; // (P, C)
    });
    if (this.positions) x = add(x, this.positions.slice(0, x.rows));
    const cls = this.arrays.cls;
    if (cls) x = new Matrix(1 + x.rows, x.columns, Float32Array.of(...cls.data, ...x.data));
    const { output } = this.encoder.forward(x); // (P, C)
    return linear(this.pool(output), layer(this.arrays, "head")); // (1, N)
  }
  // x (P, C) -> (1, C), or (1, places C) for "flatten".
  pool(x) {
    const { pooling } = this.about.model;
    if (pooling === "cls") return x.slice(0, 1);
    if (pooling === "max") return maxPool(x, x.rows);
    if (pooling === "flatten") {
      const flat = new Matrix(1, this.places * x.columns);
      flat.data.set(x.data);
      return flat;
    }
    const shares = new Float32Array(x.rows).fill(1 / x.rows); // "mean"
    if (pooling === "attention") shares.set(softmax(linear(x, layer(this.arrays, "attend")).data));
    const pooled = new Matrix(1, x.columns);
    shares.forEach((share, t) => x.row(t).forEach((value, c) => (pooled.data[c] += share * value)));
    return pooled;
  }
  // The probability of each class; of the mean of both strands if the model reads both.
  probabilities(letters) {
    const p = softmax(this.forward(letters).data);
    if (!this.about.both_strands) return p;
    const other = letters.map((letter) => (letter < 4 ? 3 - letter : letter)).reverse();
    const q = softmax(this.forward(other).data);
    return p.map((value, n) => (value + q[n]) / 2);
  }
}

const logOdds = (p) => {
  const clipped = Math.min(Math.max(p, 1e-6), 1 - 1e-6);
  return Math.log(clipped / (1 - clipped));
};

// What mattered in each letter: in-silico mutagenesis (Zhou and Troyanskaya 2015). Each letter is
// replaced by the three others, one at a time. Yields { place, effects: [[letter, effect] * 3] };
// an effect is how much the log-odds of the class `answer` fall: above 0 the letter speaks for it.
function* mutagenesis(model, letters, answer) {
  const whole = logOdds(model.probabilities(letters)[answer]);
  for (let place = 0; place < letters.length; place++) {
    if (letters[place] > 3) continue; // unknown: nothing is replaced
    const effects = [1, 2, 3].map((step) => {
      const other = (letters[place] + step) % 4;
      const changed = letters.with(place, other);
      return [other, whole - logOdds(model.probabilities(changed)[answer])];
    });
    yield { place, effects };
  }
}
