// The numbers of a light curve: magnitudes as they are in the data, or fluxes.

const bandNames = ["g", "r", "i", "unknown"];
const belowReference = 4;
const notSeen = 8;
const zeroPoint = 23.9; // AB magnitude of 1 µJy

const fluxOf = (mag) => 10 ** (-0.4 * (mag - zeroPoint));

// The points of a card as objects. `y` is what is drawn; `low` and `high` are the ends of its error.
const pointsOf = (curve, shown) => {
  const bandShown = (code) => code % 4 === 3 || shown[bandNames[code % 4]];
  const convert = ([days, mag, error, limit, code], forced) => {
    const isLimit = mag === null;
    const point = {
      days, mag, error, limit, forced, isLimit, band: bandNames[code % 4],
      below: Boolean(code & belowReference), seen: !(code & notSeen),
    };
    if (!shown.flux) {
      point.y = isLimit ? limit : mag;
      point.low = point.y + (error || 0);
      point.high = point.y - (error || 0);
      return point;
    }
    const sign = point.below ? -1 : 1;
    point.y = isLimit ? fluxOf(limit) : sign * fluxOf(mag);
    const half = isLimit || !error ? 0 : Math.abs(point.y) * error * 0.921;
    point.low = point.y - half;
    point.high = point.y + half;
    return point;
  };
  return [
    ...curve.points.map((row) => convert(row, false)),
    ...(shown.forced ? curve.forced.map((row) => convert(row, true)) : []),
  ].filter((point, k) => point.y !== null && (!point.isLimit || point.forced || shown.limits) &&
    bandShown(bandNames.indexOf(point.band)));
};

const describePoint = (point, origin) => {
  const place = `${point.forced ? "forced photometry, " : ""}${point.band}, ` +
    `${dateOf(origin + point.days)} UTC (${number(point.days, 2)} d)`;
  const limit = point.limit === null ? "" : `, limit ${number(point.limit, 1)}`;
  if (point.isLimit) return `fainter than ${number(point.limit, 2)} mag in ${place}`;
  const error = point.error === null ? "" : ` ± ${number(point.error)}`;
  const below = point.below ? ", fainter than the reference" : "";
  const later = point.seen ? "" : ", not in the history of this alert";
  return `${number(point.mag)}${error} mag in ${place}${point.forced ? "" : limit}${below}${later}`;
};
