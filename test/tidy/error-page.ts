/** What the page of error codes and the sources say about them, for test/errors-page.test.ts. */
import ts from 'typescript';
import { parse, visit } from './syntax.ts';
import { isIn, isSource, type TextFile } from './tree.ts';

/** Codes are raised by what ships; tests and the list itself only name them. */
const silentPlaces = ['test', 'base/error-codes'];

export interface ErrorSection {
  readonly code: string;
  readonly kind: string | null;
  /** Sentences after the kind: when it is raised, and what to do. */
  readonly sentences: number;
}

export function sectionsOf(page: string): ErrorSection[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [code = '', ...lines] = section.split('\n');
      const [, kind = null, rest = ''] = /^\s*Kind: (\w+)\.([\s\S]*)$/.exec(lines.join('\n')) ?? [];
      return { code: code.trim(), kind, sentences: rest.match(/[.!](?=\s|$)/g)?.length ?? 0 };
    });
}

/**
 * Codes that some source raises. A code may reach `typedError` through a table or a function of its
 * own, so every string that is a code counts, unless it is only compared with one.
 */
export function raisedCodes(files: readonly TextFile[], codes: readonly string[]): Set<string> {
  const raised = new Set<string>();
  for (const file of files) {
    if (!isSource(file.path) || isIn(file.path, silentPlaces)) continue;
    visit(parse(file), (node) => {
      if (!ts.isStringLiteral(node)) return;
      const isRaised =
        isFirstOfTypedError(node) || (codes.includes(node.text) && !isCompared(node));
      if (isRaised) raised.add(node.text);
    });
  }
  return raised;
}

function isFirstOfTypedError({ parent, text }: ts.StringLiteral): boolean {
  if (!ts.isCallExpression(parent) || parent.expression.getText() !== 'typedError') return false;
  const [first] = parent.arguments;
  return first !== undefined && ts.isStringLiteral(first) && first.text === text;
}

function isCompared({ parent }: ts.StringLiteral): boolean {
  return ts.isBinaryExpression(parent) || ts.isCaseClause(parent) || ts.isLiteralTypeNode(parent);
}
