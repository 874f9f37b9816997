// Size classes, the same as in alloc/size_class.h: multiples of the granule up to 16, then 16 steps an octave, so at
// most a sixteenth of a room is rounding.

export const sizeClasses = 255;

/** Granules of a room of this class. */
export function classGranules(sizeClass: number): number {
  if (sizeClass < 16) return sizeClass + 1;
  const step = (sizeClass - 16) & 15;
  return (17 + step) * 2 ** ((sizeClass - 16) >>> 4);
}

/** The smallest class that holds so many granules (1 to 2^31 - 1); 255 or more when none does. */
export function classFor(granules: number): number {
  if (granules <= 16) return granules - 1;
  const octave = 27 - Math.clz32(granules - 1);
  return 16 + octave * 16 + ((granules - 1) >>> octave) - 16;
}
