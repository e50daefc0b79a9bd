/**
 * A file as the compiler reads it. Rules on code look at its nodes, so that a word in a comment or in
 * a string is no finding.
 */
import ts from 'typescript';
import type { TextFile } from './tree.ts';

const parsed = new WeakMap<TextFile, ts.SourceFile>();

/** Parsed once per file, however many rules look at it. */
export function parse(file: TextFile): ts.SourceFile {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const kind = file.path.endsWith('.ts') ? ts.ScriptKind.TS : ts.ScriptKind.JS;
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true, kind);
  parsed.set(file, source);
  return source;
}

export function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

export function lineOf(node: ts.Node): number {
  const source = node.getSourceFile();
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

export interface Comment {
  readonly text: string;
  readonly line: number;
}

/** All comments: each stands before a token or behind one on its line. */
export function commentsOf(file: TextFile): Comment[] {
  const source = parse(file);
  const found = new Map<number, Comment>();
  const collect = (ranges: readonly ts.CommentRange[] | undefined) => {
    for (const { pos, end } of ranges ?? []) {
      const line = source.getLineAndCharacterOfPosition(pos).line + 1;
      found.set(pos, { text: file.text.slice(pos, end), line });
    }
  };
  visitTokens(source, source, (token) => {
    collect(ts.getLeadingCommentRanges(file.text, token.getFullStart()));
    collect(ts.getTrailingCommentRanges(file.text, token.getEnd()));
  });
  return [...found.values()];
}

function visitTokens(node: ts.Node, source: ts.SourceFile, see: (token: ts.Node) => void): void {
  const children = node.getChildren(source);
  if (children.length === 0) see(node);
  for (const child of children) visitTokens(child, source, see);
}
