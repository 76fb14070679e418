const BYTE_UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

/** A number of bytes for people, in powers of 1000 as storage is sold: `1.4 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 'bytes';
  for (const next of BYTE_UNITS) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return `${unit === 'bytes' || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${unit}`;
}

/** A part of the whole for people, rounded down: 100 % is said of what is over, and of nothing else. */
export function formatFraction(fraction: number): string {
  return `${Math.floor(fraction * 100)} %`;
}

/** How long ago something was, in the largest unit that fits: `3 min`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
