// MD5 (RFC 1321), a piece at a time. Not for secrets: it is the checksum that Swift keeps as an object's ETag.

const BLOCK = 64;

export class Md5 {
  #state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  #rest = new Uint8Array(BLOCK);
  #length = 0;

  /** @param {Uint8Array} bytes */
  update(bytes) {
    const held = this.#length % BLOCK;
    this.#length += bytes.length;
    if (held + bytes.length < BLOCK) {
      this.#rest.set(bytes, held);
      return this;
    }
    const head = held && BLOCK - held;
    if (head) {
      this.#rest.set(bytes.subarray(0, head), held);
      digestBlocks(this.#state, words(this.#rest));
    }
    const tail = bytes.length - ((bytes.length - head) % BLOCK);
    digestBlocks(this.#state, words(bytes.subarray(head, tail)));
    this.#rest.set(bytes.subarray(tail));
    return this;
  }

  /** The digest in hexadecimal; nothing can be added after it. */
  hex() {
    const bits = this.#length * 8;
    const zeros = (BLOCK + 55 - (this.#length % BLOCK)) % BLOCK;
    const padding = new DataView(new ArrayBuffer(1 + zeros + 8));
    padding.setUint8(0, 0x80);
    padding.setUint32(1 + zeros, bits, true);
    padding.setUint32(5 + zeros, bits / 2 ** 32, true);
    this.update(new Uint8Array(padding.buffer));
    return Array.from(new Uint8Array(this.#state.buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

/**
 * The same bytes as 32-bit words. Every browser runs on little-endian machines, so no byte needs to move,
 * but a view of words must start at a multiple of four.
 * @param {Uint8Array} bytes
 */
function words(bytes) {
  const aligned = bytes.byteOffset % 4 ? bytes.slice() : bytes;
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

/**
 * The 64 steps are written out, since engines keep sixteen variables in registers but not an array.
 * @param {Int32Array} state
 * @param {Int32Array} input
 */
function digestBlocks(state, input) {
  let a = state[0], b = state[1], c = state[2], d = state[3], t = 0;
  for (let at = 0; at < input.length; at += 16) {
    const w0 = input[at], w1 = input[at + 1], w2 = input[at + 2], w3 = input[at + 3];
    const w4 = input[at + 4], w5 = input[at + 5], w6 = input[at + 6], w7 = input[at + 7];
    const w8 = input[at + 8], w9 = input[at + 9], w10 = input[at + 10], w11 = input[at + 11];
    const w12 = input[at + 12], w13 = input[at + 13], w14 = input[at + 14], w15 = input[at + 15];
    const a0 = a, b0 = b, c0 = c, d0 = d;

    t = (a + w0 - 680876936 + (d ^ (b & (c ^ d)))) | 0; a = (((t << 7) | (t >>> 25)) + b) | 0;
    t = (d + w1 - 389564586 + (c ^ (a & (b ^ c)))) | 0; d = (((t << 12) | (t >>> 20)) + a) | 0;
    t = (c + w2 + 606105819 + (b ^ (d & (a ^ b)))) | 0; c = (((t << 17) | (t >>> 15)) + d) | 0;
    t = (b + w3 - 1044525330 + (a ^ (c & (d ^ a)))) | 0; b = (((t << 22) | (t >>> 10)) + c) | 0;
    t = (a + w4 - 176418897 + (d ^ (b & (c ^ d)))) | 0; a = (((t << 7) | (t >>> 25)) + b) | 0;
    t = (d + w5 + 1200080426 + (c ^ (a & (b ^ c)))) | 0; d = (((t << 12) | (t >>> 20)) + a) | 0;
    t = (c + w6 - 1473231341 + (b ^ (d & (a ^ b)))) | 0; c = (((t << 17) | (t >>> 15)) + d) | 0;
    t = (b + w7 - 45705983 + (a ^ (c & (d ^ a)))) | 0; b = (((t << 22) | (t >>> 10)) + c) | 0;
    t = (a + w8 + 1770035416 + (d ^ (b & (c ^ d)))) | 0; a = (((t << 7) | (t >>> 25)) + b) | 0;
    t = (d + w9 - 1958414417 + (c ^ (a & (b ^ c)))) | 0; d = (((t << 12) | (t >>> 20)) + a) | 0;
    t = (c + w10 - 42063 + (b ^ (d & (a ^ b)))) | 0; c = (((t << 17) | (t >>> 15)) + d) | 0;
    t = (b + w11 - 1990404162 + (a ^ (c & (d ^ a)))) | 0; b = (((t << 22) | (t >>> 10)) + c) | 0;
    t = (a + w12 + 1804603682 + (d ^ (b & (c ^ d)))) | 0; a = (((t << 7) | (t >>> 25)) + b) | 0;
    t = (d + w13 - 40341101 + (c ^ (a & (b ^ c)))) | 0; d = (((t << 12) | (t >>> 20)) + a) | 0;
    t = (c + w14 - 1502002290 + (b ^ (d & (a ^ b)))) | 0; c = (((t << 17) | (t >>> 15)) + d) | 0;
    t = (b + w15 + 1236535329 + (a ^ (c & (d ^ a)))) | 0; b = (((t << 22) | (t >>> 10)) + c) | 0;
    t = (a + w1 - 165796510 + (c & ~d) + (b & d)) | 0; a = (((t << 5) | (t >>> 27)) + b) | 0;
    t = (d + w6 - 1069501632 + (b & ~c) + (a & c)) | 0; d = (((t << 9) | (t >>> 23)) + a) | 0;
    t = (c + w11 + 643717713 + (a & ~b) + (d & b)) | 0; c = (((t << 14) | (t >>> 18)) + d) | 0;
    t = (b + w0 - 373897302 + (d & ~a) + (c & a)) | 0; b = (((t << 20) | (t >>> 12)) + c) | 0;
    t = (a + w5 - 701558691 + (c & ~d) + (b & d)) | 0; a = (((t << 5) | (t >>> 27)) + b) | 0;
    t = (d + w10 + 38016083 + (b & ~c) + (a & c)) | 0; d = (((t << 9) | (t >>> 23)) + a) | 0;
    t = (c + w15 - 660478335 + (a & ~b) + (d & b)) | 0; c = (((t << 14) | (t >>> 18)) + d) | 0;
    t = (b + w4 - 405537848 + (d & ~a) + (c & a)) | 0; b = (((t << 20) | (t >>> 12)) + c) | 0;
    t = (a + w9 + 568446438 + (c & ~d) + (b & d)) | 0; a = (((t << 5) | (t >>> 27)) + b) | 0;
    t = (d + w14 - 1019803690 + (b & ~c) + (a & c)) | 0; d = (((t << 9) | (t >>> 23)) + a) | 0;
    t = (c + w3 - 187363961 + (a & ~b) + (d & b)) | 0; c = (((t << 14) | (t >>> 18)) + d) | 0;
    t = (b + w8 + 1163531501 + (d & ~a) + (c & a)) | 0; b = (((t << 20) | (t >>> 12)) + c) | 0;
    t = (a + w13 - 1444681467 + (c & ~d) + (b & d)) | 0; a = (((t << 5) | (t >>> 27)) + b) | 0;
    t = (d + w2 - 51403784 + (b & ~c) + (a & c)) | 0; d = (((t << 9) | (t >>> 23)) + a) | 0;
    t = (c + w7 + 1735328473 + (a & ~b) + (d & b)) | 0; c = (((t << 14) | (t >>> 18)) + d) | 0;
    t = (b + w12 - 1926607734 + (d & ~a) + (c & a)) | 0; b = (((t << 20) | (t >>> 12)) + c) | 0;
    t = (a + w5 - 378558 + (b ^ (c ^ d))) | 0; a = (((t << 4) | (t >>> 28)) + b) | 0;
    t = (d + w8 - 2022574463 + (a ^ (b ^ c))) | 0; d = (((t << 11) | (t >>> 21)) + a) | 0;
    t = (c + w11 + 1839030562 + (d ^ (a ^ b))) | 0; c = (((t << 16) | (t >>> 16)) + d) | 0;
    t = (b + w14 - 35309556 + (c ^ (d ^ a))) | 0; b = (((t << 23) | (t >>> 9)) + c) | 0;
    t = (a + w1 - 1530992060 + (b ^ (c ^ d))) | 0; a = (((t << 4) | (t >>> 28)) + b) | 0;
    t = (d + w4 + 1272893353 + (a ^ (b ^ c))) | 0; d = (((t << 11) | (t >>> 21)) + a) | 0;
    t = (c + w7 - 155497632 + (d ^ (a ^ b))) | 0; c = (((t << 16) | (t >>> 16)) + d) | 0;
    t = (b + w10 - 1094730640 + (c ^ (d ^ a))) | 0; b = (((t << 23) | (t >>> 9)) + c) | 0;
    t = (a + w13 + 681279174 + (b ^ (c ^ d))) | 0; a = (((t << 4) | (t >>> 28)) + b) | 0;
    t = (d + w0 - 358537222 + (a ^ (b ^ c))) | 0; d = (((t << 11) | (t >>> 21)) + a) | 0;
    t = (c + w3 - 722521979 + (d ^ (a ^ b))) | 0; c = (((t << 16) | (t >>> 16)) + d) | 0;
    t = (b + w6 + 76029189 + (c ^ (d ^ a))) | 0; b = (((t << 23) | (t >>> 9)) + c) | 0;
    t = (a + w9 - 640364487 + (b ^ (c ^ d))) | 0; a = (((t << 4) | (t >>> 28)) + b) | 0;
    t = (d + w12 - 421815835 + (a ^ (b ^ c))) | 0; d = (((t << 11) | (t >>> 21)) + a) | 0;
    t = (c + w15 + 530742520 + (d ^ (a ^ b))) | 0; c = (((t << 16) | (t >>> 16)) + d) | 0;
    t = (b + w2 - 995338651 + (c ^ (d ^ a))) | 0; b = (((t << 23) | (t >>> 9)) + c) | 0;
    t = (a + w0 - 198630844 + (c ^ (b | ~d))) | 0; a = (((t << 6) | (t >>> 26)) + b) | 0;
    t = (d + w7 + 1126891415 + (b ^ (a | ~c))) | 0; d = (((t << 10) | (t >>> 22)) + a) | 0;
    t = (c + w14 - 1416354905 + (a ^ (d | ~b))) | 0; c = (((t << 15) | (t >>> 17)) + d) | 0;
    t = (b + w5 - 57434055 + (d ^ (c | ~a))) | 0; b = (((t << 21) | (t >>> 11)) + c) | 0;
    t = (a + w12 + 1700485571 + (c ^ (b | ~d))) | 0; a = (((t << 6) | (t >>> 26)) + b) | 0;
    t = (d + w3 - 1894986606 + (b ^ (a | ~c))) | 0; d = (((t << 10) | (t >>> 22)) + a) | 0;
    t = (c + w10 - 1051523 + (a ^ (d | ~b))) | 0; c = (((t << 15) | (t >>> 17)) + d) | 0;
    t = (b + w1 - 2054922799 + (d ^ (c | ~a))) | 0; b = (((t << 21) | (t >>> 11)) + c) | 0;
    t = (a + w8 + 1873313359 + (c ^ (b | ~d))) | 0; a = (((t << 6) | (t >>> 26)) + b) | 0;
    t = (d + w15 - 30611744 + (b ^ (a | ~c))) | 0; d = (((t << 10) | (t >>> 22)) + a) | 0;
    t = (c + w6 - 1560198380 + (a ^ (d | ~b))) | 0; c = (((t << 15) | (t >>> 17)) + d) | 0;
    t = (b + w13 + 1309151649 + (d ^ (c | ~a))) | 0; b = (((t << 21) | (t >>> 11)) + c) | 0;
    t = (a + w4 - 145523070 + (c ^ (b | ~d))) | 0; a = (((t << 6) | (t >>> 26)) + b) | 0;
    t = (d + w11 - 1120210379 + (b ^ (a | ~c))) | 0; d = (((t << 10) | (t >>> 22)) + a) | 0;
    t = (c + w2 + 718787259 + (a ^ (d | ~b))) | 0; c = (((t << 15) | (t >>> 17)) + d) | 0;
    t = (b + w9 - 343485551 + (d ^ (c | ~a))) | 0; b = (((t << 21) | (t >>> 11)) + c) | 0;

    a = (a + a0) | 0; b = (b + b0) | 0; c = (c + c0) | 0; d = (d + d0) | 0;
  }
  state[0] = a; state[1] = b; state[2] = c; state[3] = d;
}
