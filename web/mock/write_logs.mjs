// Writes the mock's made-up logs as files, for pictures of the page on the real program:
//   node mock/write_logs.mjs DIR [--rows 20000] [--hours 2] [--follow LINES_PER_SECOND]
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { World } from './data.mjs';

const option = (name, fallback) => { const at = process.argv.indexOf('--' + name); return at < 0 ? fallback : Number(process.argv[at + 1]); };
const root = process.argv[2];
if (!root || root.startsWith('--')) throw new Error('usage: write_logs.mjs DIR [--rows N] [--hours N] [--follow N]');
const world = new World(11);

function put(rows) {
  const byFile = new Map();
  for (const row of rows) byFile.set(row.file, (byFile.get(row.file) ?? '') + row.text + '\n');
  for (const [file, text] of byFile) {
    const path = join(root, file.replace(/^\/var\/log\//, ''));
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, text);
  }
}

world.fill(option('rows', 20000), option('hours', 2) * 3600_000);
put(world.rows);
const rate = option('follow', 0);
if (rate) setInterval(() => put(Array.from({ length: Math.max(1, Math.round(rate / 4)) }, () => world.make(Date.now()))), 250);
