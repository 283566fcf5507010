// The arrays of a model, out of the page: { shape, kind, data }, data being base64 of little-endian
// numbers. kind: "float32", "float16", or "int8", which has a factor of each row in `scales`.

function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

// The number that 16 bits stand for: a sign, 5 bits of exponent, 10 bits of fraction.
function half(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
}

// -> Matrix: an array of one axis is one row; of more axes, the first are the rows.
function unpack({ shape, kind, data, scales }) {
  const rows = shape.length > 1 ? shape[0] : 1;
  const columns = shape.reduce((a, b) => a * b, 1) / rows;
  const raw = bytes(data);
  if (kind === "float32") return new Matrix(rows, columns, new Float32Array(raw.buffer));
  if (kind === "float16") {
    const values = Float32Array.from(new Uint16Array(raw.buffer), half);
    return new Matrix(rows, columns, values);
  }
  const factors = new Float32Array(bytes(scales).buffer);
  const values = Float32Array.from(new Int8Array(raw.buffer), (value, i) =>
    value * factors[Math.floor(i / columns)],
  );
  return new Matrix(rows, columns, values);
}

const unpackAll = (arrays) =>
  Object.fromEntries(Object.entries(arrays).map(([name, packed]) => [name, unpack(packed)]));
