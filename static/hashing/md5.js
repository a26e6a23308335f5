// Incremental MD5 (RFC 1321). It is a checksum and protects no secret: Swift uses it as an object's ETag.

const BLOCK = 64;

export class Md5 {
  #state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  #pending = new Uint8Array(BLOCK);
  #length = 0;

  /** @param {Uint8Array} bytes */
  update(bytes) {
    const buffered = this.#length % BLOCK;
    this.#length += bytes.length;
    if (buffered + bytes.length < BLOCK) {
      this.#pending.set(bytes, buffered);
      return this;
    }
    const head = buffered && BLOCK - buffered;
    if (head) {
      this.#pending.set(bytes.subarray(0, head), buffered);
      digestBlocks(this.#state, words(this.#pending));
    }
    const tail = bytes.length - ((bytes.length - head) % BLOCK);
    digestBlocks(this.#state, words(bytes.subarray(head, tail)));
    this.#pending.set(bytes.subarray(tail));
    return this;
  }

  /** Return the hexadecimal digest. Call it once, after the last update. */
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
 * Return a view of the bytes as 32-bit words. All browsers run on little-endian machines, so bytes need no swap,
 * but the view must start at a multiple of four.
 * @param {Uint8Array} bytes
 */
function words(bytes) {
  const aligned = bytes.byteOffset % 4 ? bytes.slice() : bytes;
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

/**
 * The 64 steps are unrolled, since engines keep sixteen variables in registers, but not an array. Every sum is truncated
 * to 32 bits at once: otherwise WebKit's compiler uses wider numbers and is twenty times as slow.
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

    t = ((a + w0 | 0) - 680876936 | 0) + (d ^ (b & (c ^ d))) | 0; a = (t << 7 | t >>> 25) + b | 0;
    t = ((d + w1 | 0) - 389564586 | 0) + (c ^ (a & (b ^ c))) | 0; d = (t << 12 | t >>> 20) + a | 0;
    t = ((c + w2 | 0) + 606105819 | 0) + (b ^ (d & (a ^ b))) | 0; c = (t << 17 | t >>> 15) + d | 0;
    t = ((b + w3 | 0) - 1044525330 | 0) + (a ^ (c & (d ^ a))) | 0; b = (t << 22 | t >>> 10) + c | 0;
    t = ((a + w4 | 0) - 176418897 | 0) + (d ^ (b & (c ^ d))) | 0; a = (t << 7 | t >>> 25) + b | 0;
    t = ((d + w5 | 0) + 1200080426 | 0) + (c ^ (a & (b ^ c))) | 0; d = (t << 12 | t >>> 20) + a | 0;
    t = ((c + w6 | 0) - 1473231341 | 0) + (b ^ (d & (a ^ b))) | 0; c = (t << 17 | t >>> 15) + d | 0;
    t = ((b + w7 | 0) - 45705983 | 0) + (a ^ (c & (d ^ a))) | 0; b = (t << 22 | t >>> 10) + c | 0;
    t = ((a + w8 | 0) + 1770035416 | 0) + (d ^ (b & (c ^ d))) | 0; a = (t << 7 | t >>> 25) + b | 0;
    t = ((d + w9 | 0) - 1958414417 | 0) + (c ^ (a & (b ^ c))) | 0; d = (t << 12 | t >>> 20) + a | 0;
    t = ((c + w10 | 0) - 42063 | 0) + (b ^ (d & (a ^ b))) | 0; c = (t << 17 | t >>> 15) + d | 0;
    t = ((b + w11 | 0) - 1990404162 | 0) + (a ^ (c & (d ^ a))) | 0; b = (t << 22 | t >>> 10) + c | 0;
    t = ((a + w12 | 0) + 1804603682 | 0) + (d ^ (b & (c ^ d))) | 0; a = (t << 7 | t >>> 25) + b | 0;
    t = ((d + w13 | 0) - 40341101 | 0) + (c ^ (a & (b ^ c))) | 0; d = (t << 12 | t >>> 20) + a | 0;
    t = ((c + w14 | 0) - 1502002290 | 0) + (b ^ (d & (a ^ b))) | 0; c = (t << 17 | t >>> 15) + d | 0;
    t = ((b + w15 | 0) + 1236535329 | 0) + (a ^ (c & (d ^ a))) | 0; b = (t << 22 | t >>> 10) + c | 0;
    t = (((a + w1 | 0) - 165796510 | 0) + (c & ~d) | 0) + (b & d) | 0; a = (t << 5 | t >>> 27) + b | 0;
    t = (((d + w6 | 0) - 1069501632 | 0) + (b & ~c) | 0) + (a & c) | 0; d = (t << 9 | t >>> 23) + a | 0;
    t = (((c + w11 | 0) + 643717713 | 0) + (a & ~b) | 0) + (d & b) | 0; c = (t << 14 | t >>> 18) + d | 0;
    t = (((b + w0 | 0) - 373897302 | 0) + (d & ~a) | 0) + (c & a) | 0; b = (t << 20 | t >>> 12) + c | 0;
    t = (((a + w5 | 0) - 701558691 | 0) + (c & ~d) | 0) + (b & d) | 0; a = (t << 5 | t >>> 27) + b | 0;
    t = (((d + w10 | 0) + 38016083 | 0) + (b & ~c) | 0) + (a & c) | 0; d = (t << 9 | t >>> 23) + a | 0;
    t = (((c + w15 | 0) - 660478335 | 0) + (a & ~b) | 0) + (d & b) | 0; c = (t << 14 | t >>> 18) + d | 0;
    t = (((b + w4 | 0) - 405537848 | 0) + (d & ~a) | 0) + (c & a) | 0; b = (t << 20 | t >>> 12) + c | 0;
    t = (((a + w9 | 0) + 568446438 | 0) + (c & ~d) | 0) + (b & d) | 0; a = (t << 5 | t >>> 27) + b | 0;
    t = (((d + w14 | 0) - 1019803690 | 0) + (b & ~c) | 0) + (a & c) | 0; d = (t << 9 | t >>> 23) + a | 0;
    t = (((c + w3 | 0) - 187363961 | 0) + (a & ~b) | 0) + (d & b) | 0; c = (t << 14 | t >>> 18) + d | 0;
    t = (((b + w8 | 0) + 1163531501 | 0) + (d & ~a) | 0) + (c & a) | 0; b = (t << 20 | t >>> 12) + c | 0;
    t = (((a + w13 | 0) - 1444681467 | 0) + (c & ~d) | 0) + (b & d) | 0; a = (t << 5 | t >>> 27) + b | 0;
    t = (((d + w2 | 0) - 51403784 | 0) + (b & ~c) | 0) + (a & c) | 0; d = (t << 9 | t >>> 23) + a | 0;
    t = (((c + w7 | 0) + 1735328473 | 0) + (a & ~b) | 0) + (d & b) | 0; c = (t << 14 | t >>> 18) + d | 0;
    t = (((b + w12 | 0) - 1926607734 | 0) + (d & ~a) | 0) + (c & a) | 0; b = (t << 20 | t >>> 12) + c | 0;
    t = ((a + w5 | 0) - 378558 | 0) + (b ^ (c ^ d)) | 0; a = (t << 4 | t >>> 28) + b | 0;
    t = ((d + w8 | 0) - 2022574463 | 0) + (a ^ (b ^ c)) | 0; d = (t << 11 | t >>> 21) + a | 0;
    t = ((c + w11 | 0) + 1839030562 | 0) + (d ^ (a ^ b)) | 0; c = (t << 16 | t >>> 16) + d | 0;
    t = ((b + w14 | 0) - 35309556 | 0) + (c ^ (d ^ a)) | 0; b = (t << 23 | t >>> 9) + c | 0;
    t = ((a + w1 | 0) - 1530992060 | 0) + (b ^ (c ^ d)) | 0; a = (t << 4 | t >>> 28) + b | 0;
    t = ((d + w4 | 0) + 1272893353 | 0) + (a ^ (b ^ c)) | 0; d = (t << 11 | t >>> 21) + a | 0;
    t = ((c + w7 | 0) - 155497632 | 0) + (d ^ (a ^ b)) | 0; c = (t << 16 | t >>> 16) + d | 0;
    t = ((b + w10 | 0) - 1094730640 | 0) + (c ^ (d ^ a)) | 0; b = (t << 23 | t >>> 9) + c | 0;
    t = ((a + w13 | 0) + 681279174 | 0) + (b ^ (c ^ d)) | 0; a = (t << 4 | t >>> 28) + b | 0;
    t = ((d + w0 | 0) - 358537222 | 0) + (a ^ (b ^ c)) | 0; d = (t << 11 | t >>> 21) + a | 0;
    t = ((c + w3 | 0) - 722521979 | 0) + (d ^ (a ^ b)) | 0; c = (t << 16 | t >>> 16) + d | 0;
    t = ((b + w6 | 0) + 76029189 | 0) + (c ^ (d ^ a)) | 0; b = (t << 23 | t >>> 9) + c | 0;
    t = ((a + w9 | 0) - 640364487 | 0) + (b ^ (c ^ d)) | 0; a = (t << 4 | t >>> 28) + b | 0;
    t = ((d + w12 | 0) - 421815835 | 0) + (a ^ (b ^ c)) | 0; d = (t << 11 | t >>> 21) + a | 0;
    t = ((c + w15 | 0) + 530742520 | 0) + (d ^ (a ^ b)) | 0; c = (t << 16 | t >>> 16) + d | 0;
    t = ((b + w2 | 0) - 995338651 | 0) + (c ^ (d ^ a)) | 0; b = (t << 23 | t >>> 9) + c | 0;
    t = ((a + w0 | 0) - 198630844 | 0) + (c ^ (b | ~d)) | 0; a = (t << 6 | t >>> 26) + b | 0;
    t = ((d + w7 | 0) + 1126891415 | 0) + (b ^ (a | ~c)) | 0; d = (t << 10 | t >>> 22) + a | 0;
    t = ((c + w14 | 0) - 1416354905 | 0) + (a ^ (d | ~b)) | 0; c = (t << 15 | t >>> 17) + d | 0;
    t = ((b + w5 | 0) - 57434055 | 0) + (d ^ (c | ~a)) | 0; b = (t << 21 | t >>> 11) + c | 0;
    t = ((a + w12 | 0) + 1700485571 | 0) + (c ^ (b | ~d)) | 0; a = (t << 6 | t >>> 26) + b | 0;
    t = ((d + w3 | 0) - 1894986606 | 0) + (b ^ (a | ~c)) | 0; d = (t << 10 | t >>> 22) + a | 0;
    t = ((c + w10 | 0) - 1051523 | 0) + (a ^ (d | ~b)) | 0; c = (t << 15 | t >>> 17) + d | 0;
    t = ((b + w1 | 0) - 2054922799 | 0) + (d ^ (c | ~a)) | 0; b = (t << 21 | t >>> 11) + c | 0;
    t = ((a + w8 | 0) + 1873313359 | 0) + (c ^ (b | ~d)) | 0; a = (t << 6 | t >>> 26) + b | 0;
    t = ((d + w15 | 0) - 30611744 | 0) + (b ^ (a | ~c)) | 0; d = (t << 10 | t >>> 22) + a | 0;
    t = ((c + w6 | 0) - 1560198380 | 0) + (a ^ (d | ~b)) | 0; c = (t << 15 | t >>> 17) + d | 0;
    t = ((b + w13 | 0) + 1309151649 | 0) + (d ^ (c | ~a)) | 0; b = (t << 21 | t >>> 11) + c | 0;
    t = ((a + w4 | 0) - 145523070 | 0) + (c ^ (b | ~d)) | 0; a = (t << 6 | t >>> 26) + b | 0;
    t = ((d + w11 | 0) - 1120210379 | 0) + (b ^ (a | ~c)) | 0; d = (t << 10 | t >>> 22) + a | 0;
    t = ((c + w2 | 0) + 718787259 | 0) + (a ^ (d | ~b)) | 0; c = (t << 15 | t >>> 17) + d | 0;
    t = ((b + w9 | 0) - 343485551 | 0) + (d ^ (c | ~a)) | 0; b = (t << 21 | t >>> 11) + c | 0;

    a = (a + a0) | 0; b = (b + b0) | 0; c = (c + c0) | 0; d = (d + d0) | 0;
  }
  state[0] = a; state[1] = b; state[2] = c; state[3] = d;
}
