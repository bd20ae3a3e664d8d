// Builds the page into dist/: one script and one sheet with hashed names, an index.html that points at them with relative
// paths. Nothing is inline (strict CSP) and nothing comes from elsewhere. Fails above the size budget.
import { build, context } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, 'dist');
const budget = 150_000;  // bytes of gzip, everything together
const watching = process.argv.includes('--watch');

function hashed(name, bytes) {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 10);
  return name.replace(/(\.[a-z]+)$/, `-${hash}$1`);
}

function write(name, bytes) {
  writeFileSync(join(dist, name), bytes);
  return { name, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

function writePage(metafile) {
  const outputs = Object.keys(metafile.outputs).map((path) => basename(path));
  const script = outputs.find((name) => name.endsWith('.js'));
  const sheet = outputs.find((name) => name.endsWith('.css'));
  const icon = readFileSync(join(root, 'src/icon.svg'));
  const iconName = hashed('icon.svg', icon);
  const page = readFileSync(join(root, 'src/index.html'), 'utf8')
    .replace('{{script}}', `./${script}`).replace('{{sheet}}', `./${sheet}`).replace('{{icon}}', `./${iconName}`);
  const files = [write(iconName, icon), write('index.html', Buffer.from(page))];
  for (const name of [script, sheet]) files.push(write(name, readFileSync(join(dist, name))));
  report(files);
}

function report(files) {
  const total = files.reduce((sum, file) => sum + file.gzip, 0);
  for (const file of files) console.log(`${file.name.padEnd(28)} ${String(file.bytes).padStart(8)}  gzip ${file.gzip}`);
  console.log(`${'total gzip'.padEnd(28)} ${String(total).padStart(8)}  of ${budget}`);
  if (total > budget) {
    console.error(`the page is ${total} bytes of gzip, above its budget of ${budget}: leave something out`);
    process.exitCode = 1;
  }
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const options = {
  entryPoints: { app: join(root, 'src/main.tsx') },
  outdir: dist,
  bundle: true,
  minify: !watching,
  format: 'esm',
  target: ['es2021', 'chrome100', 'firefox100', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  entryNames: '[name]-[hash]',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [{ name: 'page', setup: (b) => b.onEnd((result) => { if (result.metafile && !result.errors.length) writePage(result.metafile); }) }],
};
if (watching) await (await context(options)).watch();
else await build(options);
