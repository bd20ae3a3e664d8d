// Splits a stream of bytes into JSON values, one per line. A line is decoded only when it is whole, so that a character cut
// between two chunks stays one.

export class LineSplitter {
  private decoder = new TextDecoder('utf-8');
  private rest = '';

  /** The complete lines of what came so far. */
  push(chunk: Uint8Array): string[] {
    return this.take(this.decoder.decode(chunk, { stream: true }));
  }

  end(): string[] {
    const lines = this.take(this.decoder.decode());
    if (this.rest) lines.push(this.rest);
    this.rest = '';
    return lines;
  }

  private take(text: string): string[] {
    if (!text.includes('\n')) {
      this.rest += text;
      return [];
    }
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    return lines.filter((line) => line.length > 0);
  }
}

export async function readLines(body: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const reader = body.getReader();
  const splitter = new LineSplitter();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    splitter.push(value).forEach(onLine);
  }
  splitter.end().forEach(onLine);
}
