// Elements of the page that several exhibits have.

const byId = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

function set(one, attributes, ...children) {
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

const element = (tag, attributes, ...children) =>
  set(document.createElement(tag), attributes, ...children);

// An element of a drawing; `tip` is what it says to a pointer that rests on it.
function shape(tag, { tip, text, ...attributes }, ...children) {
  const one = set(document.createElementNS(SVG, tag), attributes, ...children);
  if (text !== undefined) one.append(text);
  if (tip) one.append(shape("title", { text: tip }));
  return one;
}

const drawing = (width, height, label, ...children) =>
  shape(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    ...children,
  );

const percent = (p) => `${(100 * p).toFixed(1)} %`;

// Bars of the classes' probabilities, the largest one bold; drawn again at each call.
function showClasses(box, names, p) {
  const best = likeliest(p);
  box.replaceChildren(
    ...names.flatMap((name, n) => {
      const kind = n === best ? "best" : "";
      return [
        element("span", { class: kind }, name),
        element("div", { class: "bar-of" }, element("div", { style: `width: ${100 * p[n]}%` })),
        element("span", { class: `n ${kind}` }, percent(p[n])),
      ];
    }),
  );
}

// Fills a select with "mean of all heads" and each head; its value is "" or "layer,head".
function offerHeads(select, layers, heads) {
  select.append(element("option", { value: "" }, "mean of all heads"));
  for (let n = 0; n < layers; n++)
    for (let h = 0; h < heads; h++)
      select.append(element("option", { value: `${n},${h}` }, `layer ${n + 1}, head ${h + 1}`));
}

// The weights of the chosen head, or the mean of all: weights[layer][head] (Tq, Tk), the last row.
function chosenWeights(weights, value) {
  if (value) {
    const [n, h] = value.split(",");
    const matrix = weights[n][h];
    return matrix.row(matrix.rows - 1);
  }
  const all = weights.flat().map((matrix) => matrix.row(matrix.rows - 1));
  return all[0].map((_, at) => all.reduce((sum, row) => sum + row[at], 0) / all.length);
}

// Letters as numbers: capitals, U as T, spaces and line breaks left out.
// Throws an Error, to be shown, that names the first letter that is none of `known`.
function readLetters(text, known) {
  const letters = text.toUpperCase().replace(/\s/g, "").replaceAll("U", "T");
  const strange = [...letters].find((letter) => !known.includes(letter));
  if (strange) {
    const words = [...known].join(", ").replace(/, (.)$/, " and $1");
    throw new Error(`“${strange}” is no letter of DNA: expected ${words}.`);
  }
  return [...letters].map((letter) => known.indexOf(letter));
}

const randomOf = (values) => values[Math.floor(Math.random() * values.length)];

// Lets the page answer before the next piece of work.
const pause = () => new Promise((resolve) => setTimeout(resolve));
