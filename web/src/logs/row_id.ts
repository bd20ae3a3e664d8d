// A row's id as the address carries it: SOURCE.EPOCH.OFFSET, with .TOPIC behind it when the topic is not "logs".
export interface RowId { source: string; epoch: number; offset: number; topic: string }

export function parseRowId(id: string): RowId | undefined {
  const match = /^([0-9a-f]{1,64})\.(\d{1,10})\.(\d{1,16})(?:\.(.*))?$/s.exec(id);
  return match ? { source: match[1], epoch: Number(match[2]), offset: Number(match[3]), topic: match[4] ?? 'logs' } : undefined;
}
