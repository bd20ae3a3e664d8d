// Compiles the dashboards of examples/grafana as values of Grafana's own types: a member that is none, or of another kind, is an error.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const grafana = join(web, '..', 'examples', 'grafana');
const out = join(web, 'node_modules', '.cache', 'logboom-dashboards');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const head = `import type { Dashboard, DataQuery, FieldConfig, Panel } from '@grafana/schema';
import type { FieldConfig as LineConfig, Options as LineOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
// Enumerations as JSON has them: their values.
type Plain<T> = T extends string ? \`\${T}\` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
// What the plugin of InfluxDB reads of a query, which the schema does not have.
type Query = DataQuery & { query: string; rawQuery: true; resultFormat: 'time_series'; alias: string };
type Lines = Omit<Panel, 'type' | 'targets' | 'fieldConfig' | 'options'> &
  { type: 'timeseries'; targets: Query[]; fieldConfig: { defaults: Omit<FieldConfig, 'custom'> & { custom: LineConfig }; overrides: [] }; options: Partial<LineOptions> };
type Board = Omit<Dashboard, 'panels'> & { panels: Lines[] };
`;
const names = ['fleet', 'host'];
for (const name of names) writeFileSync(join(out, `${name}.ts`), `${head}export const ${name}: Plain<Board> = ${readFileSync(join(grafana, `${name}.json`), 'utf8').trim()};\n`);
const options = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--target', 'es2021', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''];
const { status } = spawnSync(process.execPath, [join(web, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, ...names.map((name) => join(out, `${name}.ts`))], { stdio: 'inherit' });
if (status === 0) console.log(`dashboards: ${names.length} agree with Grafana's types`);
process.exit(status ?? 1);
