const BYTE_UNITS = ['kB', 'MB', 'GB', 'TB'] as const;
const count = new Intl.NumberFormat('en');
const figure = new Intl.NumberFormat('en', { maximumSignificantDigits: 5 });
const clockTime = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const dayAndTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const wholeDate = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });

/** `300 MB`: decimal units, as a file manager shows; one decimal below 10. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit: string = 'B';
  for (const larger of BYTE_UNITS) {
    if (value < 999.5) break;
    value /= 1000;
    unit = larger;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** `40,000`. */
export function formatCount(value: number): string {
  return count.format(value);
}

/** `40 %`; 100 % only when all is done. */
export function formatPercent(fraction: number): string {
  return `${Math.floor(fraction * 100)} %`;
}

/** What part of a whole something is: to the nearest per cent, but never none or all of it where it is some. */
export function formatShare(part: number, whole: number): string {
  const percent = Math.round((part / Math.max(1, whole)) * 100);
  if (percent === 0 && part > 0) return '<1 %';
  if (percent === 100 && part < whole) return '>99 %';
  return `${percent} %`;
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 05 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** `about 25 s`, `about 3 min`: no more precise than a forecast is, so that it does not jump about. */
export function formatAbout(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 5) return 'a few seconds';
  if (seconds < 57.5) return `about ${Math.round(seconds / 5) * 5} s`;
  const minutes = seconds / 60;
  if (minutes < 9.75) return `about ${formatHalves(Math.max(2, Math.round(minutes * 2)))} min`;
  if (minutes < 57.5) return `about ${Math.round(minutes)} min`;
  return `about ${formatHalves(Math.round(minutes / 30))} h`;
}

function formatHalves(halves: number): string {
  return halves % 2 === 0 ? String(halves / 2) : `${Math.floor(halves / 2)}½`;
}

/** `4 ms`, `0.4 s`: a latency, to two digits. */
export function formatLatency(milliseconds: number): string {
  return milliseconds < 999.5 ? `${Math.round(milliseconds)} ms` : formatDuration(milliseconds);
}

/** `1.5`, `40,000`, `0.00012`: a figure of a file, to five digits where it is not whole. */
export function formatFigure(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? count.format(value) : figure.format(value);
}

/** Whole seconds, for a duration that still grows: no flicker of tenths. */
export function formatGrowing(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}

/**
 * The key of a text that is aligned to its right or stands beside another: one that has become wider is another
 * element, so that none counts as moved. Digits are all of one width.
 */
export function widthKey(text: string): string {
  return text.replace(/\d/g, '0');
}

/** `14:03:09` today, `22 Nov, 14:03` on another day, `31 Dec 2025` in another year; in the reader's time zone. */
export function formatTime(time: string, now: number): string {
  const date = new Date(time);
  const today = new Date(now);
  if (date.toDateString() === today.toDateString()) return clockTime.format(date);
  return (date.getFullYear() === today.getFullYear() ? dayAndTime : wholeDate).format(date);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
