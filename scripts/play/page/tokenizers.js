// Text to token numbers and back, as gpt/tokenizer.py does it.

class CharacterTokenizer {
  constructor({ characters, separator }) {
    this.table = [...characters];
    this.numbers = new Map(this.table.map((character, number) => [character, number]));
    this.separator = separator ? this.table.length : null;
  }
  // Throws an Error, to be shown, for a character that the training text has not.
  encode(text) {
    return [...text].map((character) => {
      if (this.numbers.has(character)) return this.numbers.get(character);
      throw new Error(`The model has never seen the character “${character}”. Leave it out.`);
    });
  }
  // The bytes of a token: a letter of another script is several.
  bytes(token) {
    return new TextEncoder().encode(this.table[token] ?? "");
  }
}

// Words with the space before them, numbers, other signs, spaces: GPT-2's pattern.
const WORDS = new RegExp(
  [
    "'s|'t|'re|'ve|'m|'ll|'d",
    " ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+",
    "\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+",
  ].join("|"),
  "gu",
);

// GPT-2 writes each byte as a letter that one can see: "Ġ" is a space.
function byteLetters() {
  const letters = [];
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const seen = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    letters.push(String.fromCodePoint(seen ? byte : next++));
  }
  return letters;
}

// Byte-level byte-pair encoding (Sennrich et al. 2016; on bytes: Radford et al. 2019).
class BytePairTokenizer {
  constructor({ vocabulary, merges, separator }) {
    this.letters = byteLetters();
    this.numbers = new Map(vocabulary.map((piece, number) => [piece, number]));
    this.ranks = new Map(merges.map(([a, b], rank) => [`${a} ${b}`, rank]));
    const numbers = new Map(this.letters.map((letter, byte) => [letter, byte]));
    this.pieces = vocabulary.map((piece) =>
      Uint8Array.from([...piece].map((letter) => numbers.get(letter))),
    );
    this.separator = separator;
  }
  encode(text) {
    return (text.match(WORDS) ?? []).flatMap((word) => this.merged(word));
  }
  // Of all neighbours the pair that was learned first becomes one piece, over and over.
  merged(word) {
    const pieces = [...new TextEncoder().encode(word)].map((byte) => this.letters[byte]);
    for (;;) {
      let best = Infinity;
      let place = 0;
      for (let i = 0; i + 1 < pieces.length; i++) {
        const rank = this.ranks.get(`${pieces[i]} ${pieces[i + 1]}`) ?? Infinity;
        if (rank < best) [best, place] = [rank, i];
      }
      if (best === Infinity) return pieces.map((piece) => this.numbers.get(piece));
      pieces.splice(place, 2, pieces[place] + pieces[place + 1]);
    }
  }
  bytes(token) {
    return this.pieces[token];
  }
}

const tokenizerOf = (value) =>
  new (value.kind === "characters" ? CharacterTokenizer : BytePairTokenizer)(value);
