"use strict";
// What all models are made of, written out. One sequence at a time: there is no batch axis.
//
// Letters of the shape comments:
//   T   time (tokens)      C   channels (d_model)
//   Tq  queries            H   heads
//   Tk  keys               D   width of a head, C / H

// Numbers in rows, float32, row by row. A vector is a matrix of one row.
class Matrix {
  constructor(rows, columns, data = new Float32Array(rows * columns)) {
    this.rows = rows;
    this.columns = columns;
    this.data = data;
  }
  row(index) {
    return this.data.subarray(index * this.columns, (index + 1) * this.columns);
  }
  // The rows from `start` on, up to `end`; nothing is copied.
  slice(start, end = this.rows) {
    const data = this.data.subarray(start * this.columns, end * this.columns);
    return new Matrix(end - start, this.columns, data);
  }
  map(f) {
    return new Matrix(this.rows, this.columns, this.data.map(f));
  }
}

// Element by element: f(a, b), of the same shape.
const combine = (a, b, f) => new Matrix(a.rows, a.columns, a.data.map((x, i) => f(x, b.data[i])));
const add = (a, b) => combine(a, b, (x, y) => x + y);

// The vectors of tokens: table (V, C) -> (T, C).
function embed(table, tokens, scale = 1) {
  const x = new Matrix(tokens.length, table.columns);
  tokens.forEach((token, t) => x.row(t).set(table.row(token).map((value) => value * scale)));
  return x;
}

// y = x W^T + b: x (T, I), weight (O, I), bias (O) or none -> (T, O).
function linear(x, { weight, bias }) {
  const y = new Matrix(x.rows, weight.rows);
  const inputs = weight.columns;
  for (let t = 0; t < x.rows; t++) {
    const from = x.row(t);
    const to = y.row(t);
    for (let o = 0, start = 0; o < weight.rows; o++, start += inputs) {
      let sum = bias ? bias.data[o] : 0;
      for (let i = 0; i < inputs; i++) sum += from[i] * weight.data[start + i];
      to[o] = sum;
    }
  }
  return y;
}

// In place: exp(x - max) / sum, which no number overflows.
function softmax(values) {
  let max = -Infinity;
  for (const value of values) max = Math.max(max, value);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] = Math.exp(values[i] - max);
  for (let i = 0; i < values.length; i++) values[i] /= sum;
  return values;
}

// (x - mean) / sqrt(variance + eps), of each row, times gain plus bias (Ba et al. 2016).
function layerNorm(x, { weight, bias }, eps = 1e-5) {
  const y = new Matrix(x.rows, x.columns);
  for (let t = 0; t < x.rows; t++) {
    const from = x.row(t);
    const to = y.row(t);
    let mean = 0;
    for (const value of from) mean += value / x.columns;
    let variance = 0;
    for (const value of from) variance += (value - mean) ** 2 / x.columns;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < x.columns; c++)
      to[c] = (from[c] - mean) * scale * weight.data[c] + (bias ? bias.data[c] : 0);
  }
  return y;
}

// x / sqrt(mean(x^2) + eps), of each row, times gain if there is one (Zhang and Sennrich 2019).
function rmsNorm(x, { weight } = {}, eps = 1e-6) {
  const y = new Matrix(x.rows, x.columns);
  for (let t = 0; t < x.rows; t++) {
    const from = x.row(t);
    const to = y.row(t);
    let square = 0;
    for (const value of from) square += value ** 2 / x.columns;
    const scale = 1 / Math.sqrt(square + eps);
    for (let c = 0; c < x.columns; c++) to[c] = from[c] * scale * (weight ? weight.data[c] : 1);
  }
  return y;
}

// The error function, within 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26).
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const powers = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];
  const sum = powers.reduceRight((total, power) => (total + power) * t, 0);
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const relu = (x) => Math.max(0, x);
const reluSquared = (x) => relu(x) ** 2;
const silu = (x) => x / (1 + Math.exp(-x));
const gelu = (x) => (x * (1 + erf(x / Math.SQRT2))) / 2;
const geluTanh = (x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2;

// PE(t, 2i) = sin(t / 10000^(2i / C)), PE(t, 2i + 1) = cos of the same -> (T, C).
function sinusoids(length, channels) {
  const table = new Matrix(length, channels);
  for (let t = 0; t < length; t++)
    for (let c = 0; c < channels; c++) {
      const angle = t * Math.exp((-Math.log(10000) * (c - (c % 2))) / channels);
      table.row(t)[c] = c % 2 ? Math.cos(angle) : Math.sin(angle);
    }
  return table;
}

// Channels i and i + D/2 of each head are a point of the plane, rotated at position t by
// t / 10000^(2i / D) (Su et al. 2021): x (T, H D), its first token at position `start` -> the same.
function rotary(x, width, start) {
  const y = new Matrix(x.rows, x.columns);
  const half = width / 2;
  for (let t = 0; t < x.rows; t++) {
    const from = x.row(t);
    const to = y.row(t);
    for (let i = 0; i < half; i++) {
      const angle = (start + t) / 10000 ** ((2 * i) / width);
      const cosine = Math.cos(angle);
      const sine = Math.sin(angle);
      for (let c = i; c < x.columns; c += width) {
        to[c] = from[c] * cosine - from[c + half] * sine;
        to[c + half] = from[c + half] * cosine + from[c] * sine;
      }
    }
  }
  return y;
}

// Attention(Q, K, V) = softmax(Q K^T / sqrt(D)) V, of each head (Vaswani et al. 2017, eq. 1).
//
// q (Tq, H D), k and v (Tk, H D).
// causal: the queries are the last tokens of the keys, and see none after themselves.
// Returns the heads side by side (Tq, H D), and the weights of each head, H times (Tq, Tk).
function attention(q, k, v, heads, causal) {
  const width = q.columns / heads;
  const output = new Matrix(q.rows, q.columns);
  const weights = [];
  for (let h = 0; h < heads; h++) {
    const scores = new Matrix(q.rows, k.rows);
    const from = h * width; // the first channel of this head
    for (let t = 0; t < q.rows; t++) {
      const query = q.row(t);
      const seen = causal ? k.rows - q.rows + t + 1 : k.rows;
      const row = scores.row(t).subarray(0, seen); // what is beyond stays 0
      for (let s = 0, at = from; s < seen; s++, at += k.columns) {
        let sum = 0;
        for (let d = 0; d < width; d++) sum += query[from + d] * k.data[at + d];
        row[s] = sum / Math.sqrt(width);
      }
      softmax(row);
      const to = output.row(t);
      for (let s = 0, at = from; s < seen; s++, at += v.columns)
        for (let d = 0; d < width; d++) to[from + d] += row[s] * v.data[at + d];
    }
    weights.push(scores);
  }
  return { output, weights };
}

// Keys and values of the tokens so far. Under a causal mask no later token changes them, so that a
// new token costs one pass over itself instead of one over the whole text.
class Cache {
  constructor(capacity, columns) {
    this.k = new Matrix(capacity, columns);
    this.v = new Matrix(capacity, columns);
    this.length = 0;
  }
  // Append k and v (T, C); returns those of all tokens so far.
  extend(k, v) {
    this.k.data.set(k.data, this.length * k.columns);
    this.v.data.set(v.data, this.length * v.columns);
    this.length += k.rows;
    return [this.k.slice(0, this.length), this.v.slice(0, this.length)];
  }
}

// The weight and bias of a layer, by the name that PyTorch gives them.
const layer = (arrays, name) => ({
  weight: arrays[`${name}.weight`],
  bias: arrays[`${name}.bias`],
});

// H attentions side by side: Concat(head_1, ..., head_H) W^O (Vaswani et al. 2017, section 3.2.2).
class MultiHeadAttention {
  constructor(arrays, name, heads, { causal = false, rotated = false } = {}) {
    this.query = layer(arrays, `${name}.query_projection`);
    this.key = layer(arrays, `${name}.key_projection`);
    this.value = layer(arrays, `${name}.value_projection`);
    this.out = layer(arrays, `${name}.output_projection`);
    this.heads = heads;
    this.width = this.query.weight.rows / heads;
    this.causal = causal;
    this.rotated = rotated; // whether positions turn queries and keys
  }
  newCache(capacity) {
    return new Cache(capacity, this.key.weight.rows);
  }
  // x (Tq, C) asks memory (Tk, C), which is x itself if there is none. cache: x are the tokens
  // after those in it; of a memory it keeps keys and values for the next call.
  // Returns the output (Tq, C) and the weights of each head (Tq, Tk).
  forward(x, { memory, cache } = {}) {
    const start = cache && !memory ? cache.length : 0;
    let q = linear(x, this.query); // (Tq, H D)
    if (this.rotated) q = rotary(q, this.width, start);
    let k, v;
    if (memory && cache?.length) {
      [k, v] = [cache.k, cache.v]; // (Tk, H D)
    } else {
      k = linear(memory ?? x, this.key); // (Tk, H D)
      v = linear(memory ?? x, this.value);
      if (this.rotated) k = rotary(k, this.width, start);
      if (cache) [k, v] = cache.extend(k, v);
    }
    const { output, weights } = attention(q, k, v, this.heads, this.causal);
    return { output: linear(output, this.out), weights }; // (Tq, C)
  }
}
