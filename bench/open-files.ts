/** There are more sockets to open than this shell allows; the message says what to do. */
export class OpenFilesError extends Error {
  override readonly name = 'OpenFilesError';
}

/** What a process needs beside its sockets: its own files, pipes and ports. */
const OTHERS = 200;

/**
 * Each socket is an open file. Node raises its soft limit to the hard one by itself, so the hard one counts.
 * @throws OpenFilesError where it does not suffice for so many sockets in one process
 */
export function requireOpenFiles(sockets: number): void {
  const limit = readLimit();
  const needed = sockets + OTHERS;
  if (limit === undefined || limit >= needed) return;
  throw new OpenFilesError(
    `${sockets} sockets need ${needed} open files in a process, and this shell allows ${limit}: run "ulimit -n ${needed}" first (as root, or after raising nofile in /etc/security/limits.conf), or measure with --quick`,
  );
}

/** Undefined where there is no limit, as on Windows. */
function readLimit(): number | undefined {
  // Node declares the report as an object of any shape (https://nodejs.org/api/report.html, "userLimits").
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly hard: number | 'unlimited' } };
  };
  const hard = userLimits?.open_files?.hard;
  return typeof hard === 'number' ? hard : undefined;
}
