// The only place where text of logs meets the document. It goes in as text nodes, never as HTML.
import { segments, type Mark, type Segment } from './segments';

function nodeOf(segment: Segment): Node {
  if (segment.kind === 'text' && !segment.style && !segment.mark) return document.createTextNode(segment.text);
  const element = document.createElement(segment.mark ? 'mark' : 'span');
  element.textContent = segment.text;
  const classes = [segment.style, segment.kind === 'escape' ? 'esc' : '', segment.mark > 1 ? 'mark-' + segment.mark : ''].filter(Boolean);
  if (classes.length) element.className = classes.join(' ');
  if (segment.title) element.title = segment.title;
  return element;
}

export function fillText(target: Element, text: string, marks: Mark[] = []): void {
  const list = segments(text, marks);
  if (list.length === 1 && list[0].kind === 'text' && !list[0].style && !list[0].mark) {
    target.textContent = list[0].text;
    return;
  }
  target.replaceChildren(...list.map(nodeOf));
}
