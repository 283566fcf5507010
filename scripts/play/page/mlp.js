// The fully connected nets of Part 1 (numpy_nn/mlp.py), in evaluation: dropout does nothing.

// One layer of the list that the page's data has: { kind, name } of a net's arrays.
const LAYERS = {
  // (x - mean) / std, or batch normalisation: a factor and a summand, for all inputs or for each.
  affine: (x, { factor, summand }) =>
    x.map((value, i) => value * factor.data[i % factor.columns] + summand.data[i % factor.columns]),
  linear,
  layer: layerNorm,
  relu: (x) => x.map(relu),
  gelu: (x) => x.map(geluTanh),
};

class MLP {
  constructor(arrays, layers) {
    this.layers = layers.map(({ kind, name }) => ({
      kind,
      weights: {
        ...layer(arrays, name),
        factor: arrays[`${name}.factor`],
        summand: arrays[`${name}.summand`],
      },
    }));
    this.first = this.layers.find((one) => one.kind === "linear").weights.weight; // (O, pixels)
  }
  // Pixels (D), 0 to 255 -> the logits and probability of each class, and what each hidden layer says.
  forward(pixels) {
    let x = new Matrix(1, pixels.length, Float32Array.from(pixels)); // (1, D)
    const hidden = [];
    for (const { kind, weights } of this.layers) {
      x = LAYERS[kind](x, weights);
      if (kind === "relu" || kind === "gelu") hidden.push(x.data);
    }
    return { logits: x.data, probabilities: softmax(x.data.slice()), hidden };
  }
}
