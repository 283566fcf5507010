// The next token of a language model: what its logits leave to choose from, and the draw.

// The largest entry, the first one of equals.
const likeliest = (values) =>
  values.reduce((best, value, i) => (value > values[best] ? i : best), 0);

// softmax(logits / temperature), of the smallest set of likeliest tokens whose mass reaches topP:
// the nucleus (Holtzman et al. 2020). Temperature 0 is the limit: all mass on the likeliest token.
function tokenDistribution(logits, temperature, topP) {
  if (temperature === 0) {
    const best = likeliest(logits);
    return logits.map((_, token) => Number(token === best));
  }
  const p = softmax(Float64Array.from(logits, (z) => z / temperature));
  const order = [...p.keys()].sort((a, b) => p[b] - p[a] || a - b);
  let before = 0;
  let sum = 0;
  for (const token of order) {
    const kept = before < topP ? p[token] : 0;
    before += p[token];
    p[token] = kept;
    sum += kept;
  }
  return p.map((value) => value / sum);
}

// Numbers in [0, 1) that a seed decides (mulberry32, Tommy Ettinger 2017).
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// The first token whose cumulated probability lies above `point`.
function draw(p, point) {
  let mass = 0;
  for (let token = 0; token < p.length; token++) {
    mass += p[token];
    if (point < mass) return token;
  }
  return likeliest(p);
}

// A language model continues tokens. Yields { token, weights, start } of each token that is read or
// written, the given ones first: weights[layer][head] (1, Tk) say where the model looked to write
// it, and `start` is the place of the first of those tokens. When its context is full, the model
// goes on with the last half of it. Ends with the token `stop`, or after `most` new ones.
function* write(model, given, { temperature, topP, seed, stop, most }) {
  const random = uniform(seed);
  const tokens = [...given];
  let caches = model.newCaches();
  let start = Math.max(0, given.length - model.context);
  let found = null;
  const read = (token) => {
    found = model.forward([token], caches);
    return found;
  };
  for (const token of given.slice(start)) read(token);
  for (let written = 0; written < most; written++) {
    const { logits, weights } = found;
    const token = draw(tokenDistribution(logits.data, temperature, topP), random());
    yield { token, weights, start };
    if (token === stop) return;
    tokens.push(token);
    if (caches[0].length === model.context) {
      start = tokens.length - Math.ceil(model.context / 2);
      caches = model.newCaches();
      for (const earlier of tokens.slice(start, -1)) read(earlier);
    }
    read(token);
  }
}
