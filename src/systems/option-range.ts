/** The value, or a `RangeError` that says what may be given. */
export const inRange = (name: string, value: number, least: number, most: number, unit: string): number => {
  if (!(value >= least && value <= most)) throw new RangeError(`${name} is ${value}: give ${least} to ${most} ${unit}.`)
  return value
}
