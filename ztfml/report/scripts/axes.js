// Scales and ticks of the axes of a light curve.

const scale = (low, high, begin, end) => {
  const convert = (value) => begin + ((value - low) / (high - low)) * (end - begin);
  convert.inverse = (pixel) => low + ((pixel - begin) / (end - begin)) * (high - low);
  return convert;
};

// Round numbers between two limits, as [value, text].
const ticks = (low, high, most) => {
  const [first, last] = low < high ? [low, high] : [high, low];
  const rough = (last - first) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999);
  let digits = Math.max(0, -Math.floor(Math.log10(step * 1.0001)));
  if (Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits += 1;
  const values = [];
  for (let k = Math.ceil(first / step - 1e-9); k * step <= last + step * 1e-9; k++) {
    values.push([k * step, number(k * step + 0, digits).replace(/^−(0(\.0*)?)$/, "$1")]);
  }
  return values;
};
