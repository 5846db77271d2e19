/** Where chance comes from. Policies take it as an argument, so that tests and the simulator can seed it. */
export interface Random {
  /** A whole number from 0 to `n - 1`, each equally likely. `n` is from 1 to 2³². */
  below(n: number): number;
}

/**
 * A seeded generator: equal seeds give equal sequences.
 * sfc32 by Chris Doty-Humphrey (PractRand), 128 bits of state, passes BigCrush. About 5 ns a draw.
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = seed | 0;
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return { below: (n) => Math.floor((next() / 4294967296) * n) };
}

/** A generator seeded by the system's entropy. */
export function systemRandom(): Random {
  return seededRandom(crypto.getRandomValues(new Int32Array(1))[0] ?? 0);
}
