import { access } from 'node:fs/promises';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as browsers } from 'playwright-core';

/**
 * Flags for Lambda that end the browser with its first page, turn off what is under test, or draw by a software GPU
 * inside of the browser process, which holds up everything for seconds where there is no GPU.
 */
const UNWANTED = new Set([
  '--in-process-gpu',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
  '--single-process',
  '--no-zygote',
  '--disable-web-security',
  '--allow-running-insecure-content',
]);

/** Where systems keep a Chromium of their own, for machines on which the one of npm does not run. */
const SYSTEM_BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** A real browser: the Chromium that comes from npm (Linux), or the system's. */
export async function launchBrowser(): Promise<Browser> {
  const args = [...chromium.args.filter((flag) => !UNWANTED.has(flag)), '--disable-gpu'];
  if (process.platform === 'linux') {
    return await browsers.launch({ executablePath: await chromium.executablePath(), args, headless: true });
  }
  for (const executablePath of SYSTEM_BROWSERS) {
    if (await exists(executablePath)) return await browsers.launch({ executablePath, headless: true });
  }
  throw new Error(`No Chromium was found: install one at ${SYSTEM_BROWSERS.join(' or ')}`);
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
