/**
 * Scalar functions in WGSL. WGSL leaves comparisons with NaN, `max` with NaN and large arguments of `tanh` open, gives `sin` only
 * 2⁻¹¹ and `exp` an error that grows with x, and lacks `expm1` and `log1p`: so comparisons are made on the bits, and transcendental
 * functions are polynomials (Cephes and fdlibm, single precision) that agree to about one unit in the last place everywhere.
 * None depends on how a compiler rounds intermediate sums.
 */
export type FunctionName =
  | 'is_nan'
  | 'rank'
  | 'lesser'
  | 'same'
  | 'greatest'
  | 'least'
  | 'chosen'
  | 'signum'
  | 'exponential'
  | 'exponential_minus_1'
  | 'logarithm'
  | 'logarithm_core'
  | 'logarithm_1_plus'
  | 'logistic'
  | 'hyperbolic_tangent'
  | 'sine'
  | 'cosine'
  | 'sine_from';

interface WgslFunction {
  readonly text: string;
  readonly needs?: readonly FunctionName[];
}

export const FUNCTIONS: { readonly [Name in FunctionName]: WgslFunction } = {
  is_nan: { text: 'fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }' },
  // integers in the order of the floats; both zeros are 0
  rank: { text: 'fn rank(x: f32) -> i32 { let b = bitcast<i32>(x); return select(b, -(b & 0x7fffffff), b < 0); }' },
  lesser: {
    needs: ['is_nan', 'rank'],
    text: 'fn lesser(a: f32, b: f32) -> bool { return !is_nan(a) && !is_nan(b) && rank(a) < rank(b); }',
  },
  same: {
    needs: ['is_nan', 'rank'],
    text: 'fn same(a: f32, b: f32) -> bool { return !is_nan(a) && !is_nan(b) && rank(a) == rank(b); }',
  },
  greatest: {
    needs: ['is_nan', 'rank'],
    text: 'fn greatest(a: f32, b: f32) -> f32 { return select(b, a, is_nan(a) || (!is_nan(b) && rank(a) >= rank(b))); }',
  },
  least: {
    needs: ['is_nan', 'rank'],
    text: 'fn least(a: f32, b: f32) -> f32 { return select(b, a, is_nan(a) || (!is_nan(b) && rank(a) <= rank(b))); }',
  },
  chosen: {
    text: 'fn chosen(condition: f32, a: f32, b: f32) -> f32 { return select(b, a, (bitcast<u32>(condition) & 0x7fffffffu) != 0u); }',
  },
  signum: {
    needs: ['is_nan', 'rank'],
    text: 'fn signum(x: f32) -> f32 { if (is_nan(x)) { return x; } return f32(sign(rank(x))); }',
  },
  exponential: {
    needs: ['is_nan'],
    text: `fn exponential(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let c = clamp(x, -104.0, 89.0);
  let n = round(c * 1.44269504);
  let r = (c - n * 0.693359375) + n * 2.12194440e-4;
  let y = (((((1.9875691500e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r + 1.6666665459e-1) * r + 5.0000001201e-1) * r * r + r + 1.0;
  let half = i32(n) >> 1u;
  return y * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((i32(n) - half + 127) << 23u);
}`,
  },
  exponential_minus_1: {
    needs: ['exponential'],
    text: `fn exponential_minus_1(x: f32) -> f32 {
  if (abs(x) >= 0.5) { return exponential(x) - 1.0; }
  return x + x * x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0 + x * (1.0 / 5040.0 + x / 40320.0))))));
}`,
  },
  // ln(1 + f) for f in [√½ − 1, √2 − 1]
  logarithm_core: {
    text: `fn logarithm_core(f: f32) -> f32 {
  let s = f / (2.0 + f);
  let z = s * s;
  let h = 0.5 * f * f;
  return f - (h - s * (h + z * (0.66666662693 + z * (0.40000972152 + z * (0.28498786688 + z * 0.24279078841)))));
}`,
  },
  // a subnormal x is its bits · 2⁻¹⁴⁹: float arithmetic may take it for 0
  logarithm: {
    needs: ['is_nan', 'logarithm_core'],
    text: `fn logarithm(x: f32) -> f32 {
  var bits = bitcast<u32>(x);
  var limit = 0x7f800000u;
  if (is_nan(x) || bits == 0x7f800000u) { return x; }
  if ((bits & 0x7fffffffu) == 0u) { limit = 0xff800000u; return bitcast<f32>(limit); }
  if (bits > 0x7f800000u) { limit = 0x7fc00000u; return bitcast<f32>(limit); }
  var power = -127;
  if (bits < 0x00800000u) { bits = bitcast<u32>(f32(bits)); power = -276; }
  bits += 0x3f800000u - 0x3f3504f3u;
  power += i32(bits >> 23u);
  let f = bitcast<f32>((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0;
  return (f32(power) * 9.0580006145e-6 + logarithm_core(f)) + f32(power) * 6.9313812256e-1;
}`,
  },
  logarithm_1_plus: {
    needs: ['logarithm'],
    text: `fn logarithm_1_plus(x: f32) -> f32 {
  if (x > -0.29 && x < 0.41) { return logarithm_core(x); }
  return logarithm(1.0 + x);
}`,
  },
  logistic: {
    needs: ['exponential'],
    text: 'fn logistic(x: f32) -> f32 { let e = exponential(-abs(x)); return select(e, 1.0, x >= 0.0) / (1.0 + e); }',
  },
  hyperbolic_tangent: {
    needs: ['is_nan', 'exponential_minus_1'],
    text: `fn hyperbolic_tangent(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let e = exponential_minus_1(min(2.0 * abs(x), 40.0));
  return select(1.0, -1.0, x < 0.0) * (e / (e + 2.0));
}`,
  },
  // sin(x + quarter · π/2)
  sine_from: {
    text: `fn sine_from(x: f32, quarter: i32) -> f32 {
  let n = round(x * 0.636619772);
  let r = ((x - n * 1.5703125) - n * 4.837512969970703125e-4) - n * 7.54978995489188216e-8;
  let z = r * r;
  let s = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
  let c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
  let q = (i32(n) + quarter) & 3;
  return select(1.0, -1.0, q > 1) * select(s, c, (q & 1) == 1);
}`,
  },
  sine: { needs: ['sine_from'], text: 'fn sine(x: f32) -> f32 { return sine_from(x, 0); }' },
  cosine: { needs: ['sine_from'], text: 'fn cosine(x: f32) -> f32 { return sine_from(x, 1); }' },
};

/** The functions and what they call, callees first, each once. */
export function withDependencies(names: Iterable<FunctionName>): readonly FunctionName[] {
  const all = new Set<FunctionName>();
  const visit = (name: FunctionName): void => {
    if (all.has(name)) return;
    for (const needed of FUNCTIONS[name].needs ?? []) visit(needed);
    all.add(name);
  };
  for (const name of names) visit(name);
  return [...all];
}
