// Debian's Chromium, driven by playwright-core.
import { existsSync } from 'node:fs';

// The browser's profile lies in memory: beside tests that sync files all the time, one on disk waits for minutes.
if (!process.env.TMPDIR && existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';

export async function launch() {
  const { chromium } = await import('playwright-core');  // looks at TMPDIR when it is loaded
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}
