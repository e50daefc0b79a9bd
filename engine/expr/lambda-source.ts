/**
 * The guard of expression lambdas: finds JavaScript operators that would silently lose a condition.
 *
 *     where((b) => b.price.gt(100) && b.qty.gt(1))      keeps only the second: a column is "truthy"
 *     where((b) => b.user === 'ada')                    is false for every row: a column is no string
 *
 * Columns throw where JavaScript asks them for a value (`+`, `<`, `==`), but it does not ask for
 * `&&`, `||`, `!`, `?:` and `===`. So the source of the lambda is parsed, and an operator with an
 * operand that mentions the row is refused with the word to write instead.
 *
 * Parsing is skipped unless the text has a suspicious operator (the parser costs about 5 ms when
 * first used). Source that can't be parsed, such as a bound function's, is let through: the columns'
 * own check remains.
 */
import {
  type AnyNode,
  type Expression,
  type Function as FunctionNode,
  parseExpressionAt,
} from 'acorn';
import { typedError } from '../../base/typed-error.ts';

/** What to write instead of each operator. */
const replacements: Readonly<Record<string, string>> = {
  '&&': 'Write a.and(b) instead of a && b.',
  '||': 'Write a.or(b) instead of a || b.',
  '??': 'Write coalesce(a, b) instead of a ?? b.',
  '!': 'Write a.not() instead of !a, and a.isNull() to ask whether a value is missing.',
  '?:': 'Write when(a, b).otherwise(c) instead of a ? b : c.',
  if: 'Write when(a, b).otherwise(c) instead of if (a) return b; return c.',
  switch: 'Write when(x.eq(1), a).when(x.eq(2), b).otherwise(c) instead of a switch.',
  loop: 'A loop runs once, when the plan is made: it can depend on parameters, not on a row.',
  '===': 'Write a.eq(b) instead of a === b.',
  '==': 'Write a.eq(b) instead of a == b.',
  '!==': 'Write a.ne(b) instead of a !== b.',
  '!=': 'Write a.ne(b) instead of a != b.',
  '<': 'Write a.lt(b) instead of a < b.',
  '<=': 'Write a.le(b) instead of a <= b.',
  '>': 'Write a.gt(b) instead of a > b.',
  '>=': 'Write a.ge(b) instead of a >= b.',
  '+': 'Write a.add(b) instead of a + b, and concat(a, b) for texts.',
  '-': 'Write a.sub(b) instead of a - b, and a.neg() instead of -a.',
  '*': 'Write a.mul(b) instead of a * b.',
  '/': 'Write a.div(b) instead of a / b, and a.intDiv(b) for whole numbers.',
  '%': 'Write a.mod(b) instead of a % b.',
  '**': 'Write a.pow(b) instead of a ** b.',
  '``': 'Write concat(a, "-", b) instead of a template: an expression has no value yet.',
};
const otherReplacement =
  'Columns have methods for what operators do: eq, lt, and, or, not, add, sub, mul, div, concat and others; when(a, b).otherwise(c) chooses.';

/** What to write instead of a JavaScript operator, in a full sentence. */
export function replacementOf(operator: string): string {
  return replacements[operator] ?? otherReplacement;
}

/** Operators and statements that ask for a parse. `=>` alone and `?.` don't. */
const suspicious = /&&|\|\||\?(?!\.)|!|[=!]=|[<>]|[-+*/%&|^~]|\$\{|\b(?:if|while|for|switch|do)\b/;

/** @throws EXPR_JAVASCRIPT_OPERATOR naming operator, place and replacement. */
export function checkLambdaSource(verb: string, lambda: (...rows: never[]) => unknown): void {
  const text = lambda.toString();
  if (!suspicious.test(text.replaceAll('=>', ''))) return;
  const parsed = parseFunction(text);
  if (parsed === null) return;
  const { node, prefixLength } = parsed;
  const names = new Set<string>();
  for (const parameter of node.params) addBoundNames(parameter, names);
  if (names.size === 0) return;
  addDerivedNames(node.body, names);
  const found = findOperator(node.body, names);
  if (found === null) return;
  const source = text.slice(found.node.start - prefixLength, found.node.end - prefixLength);
  const { line, column } = placeOf(text, found.node.start - prefixLength);
  const message = `${verb}: "${found.operator}" does not work on columns: "${oneLine(source)}" (line ${line}, column ${column} of the lambda)`;
  const hint = replacementOf(found.operator);
  throw typedError('EXPR_JAVASCRIPT_OPERATOR', message, { hint, details: { line, column } });
}

/** Arrow functions and function expressions as they are; methods inside an object literal. */
function parseFunction(text: string): { node: FunctionNode; prefixLength: number } | null {
  for (const [before, after] of [
    ['(', ')'],
    ['({', '})'],
  ] as const) {
    try {
      const options = { ecmaVersion: 'latest' } as const;
      const expression: Expression = parseExpressionAt(before + text + after, 0, options);
      const node = functionOf(expression);
      if (node !== null) return { node, prefixLength: before.length };
    } catch {
      // Not of this form: the next one, or let through.
    }
  }
  return null;
}

function functionOf(node: AnyNode): FunctionNode | null {
  if (node.type === 'ArrowFunctionExpression' || node.type === 'FunctionExpression') return node;
  const property = node.type === 'ObjectExpression' ? node.properties[0] : undefined;
  return property?.type === 'Property' ? functionOf(property.value) : null;
}

/** The names that a pattern binds: `row`, `{ user, url: u }`. */
function addBoundNames(pattern: AnyNode, names: Set<string>): void {
  if (pattern.type === 'Identifier') names.add(pattern.name);
  else if (pattern.type === 'Property') addBoundNames(pattern.value, names);
  else if (pattern.type === 'AssignmentPattern') addBoundNames(pattern.left, names);
  else if (pattern.type === 'RestElement') addBoundNames(pattern.argument, names);
  else for (const child of childrenOf(pattern)) addBoundNames(child, names);
}

/** Adds variables made of the row: after `const p = row.price`, `p` mentions the row as well. */
function addDerivedNames(node: AnyNode, names: Set<string>): void {
  if (node.type === 'VariableDeclarator' && node.init && mentions(node.init, names)) {
    addBoundNames(node.id, names);
  }
  for (const child of childrenOf(node)) addDerivedNames(child, names);
}

interface Found {
  readonly operator: string;
  readonly node: AnyNode;
}

/** The first operator, outermost first, that has an operand which mentions one of `names`. */
function findOperator(node: AnyNode, names: ReadonlySet<string>): Found | null {
  for (const { operator, operand } of operandsOf(node)) {
    if (mentions(operand, names)) return { operator, node };
  }
  for (const child of childrenOf(node)) {
    const found = findOperator(child, names);
    if (found !== null) return found;
  }
  return null;
}

/** The operands that an operator or statement would take the wrong way if they were columns. */
function operandsOf(node: AnyNode): { operator: string; operand: AnyNode }[] {
  switch (node.type) {
    case 'LogicalExpression':
    case 'BinaryExpression':
      if (node.operator === 'in' || node.operator === 'instanceof') return [];
      return [node.left, node.right].map((operand) => ({ operator: node.operator, operand }));
    case 'UnaryExpression':
      if (['typeof', 'void', 'delete'].includes(node.operator)) return [];
      return [{ operator: node.operator, operand: node.argument }];
    case 'TemplateLiteral':
      return node.expressions.map((operand) => ({ operator: '``', operand }));
    case 'ConditionalExpression':
      return testOf('?:', node.test);
    case 'IfStatement':
      return testOf('if', node.test);
    case 'SwitchStatement':
      return testOf('switch', node.discriminant);
    case 'WhileStatement':
    case 'DoWhileStatement':
      return testOf('loop', node.test);
    case 'ForStatement':
      return node.test ? testOf('loop', node.test) : [];
    default:
      return [];
  }
}

/** A test may ask whether the row has a column: `'user' in row ? … : …` is about the plan. */
function testOf(operator: string, test: AnyNode): { operator: string; operand: AnyNode }[] {
  const isAboutPlan = test.type === 'BinaryExpression' && test.operator === 'in';
  return isAboutPlan ? [] : [{ operator, operand: test }];
}

function mentions(node: AnyNode, names: ReadonlySet<string>): boolean {
  if (node.type === 'Identifier') return names.has(node.name);
  return childrenOf(node).some((child) => mentions(child, names));
}

/** Child nodes in source order, without names that are no variables: `.user`, `user:`. */
function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const [property, value] of Object.entries(node)) {
    if (property === 'property' && node.type === 'MemberExpression' && !node.computed) continue;
    if (property === 'key' && node.type === 'Property' && !node.computed) continue;
    for (const part of Array.isArray(value) ? value : [value]) {
      if (isNode(part)) children.push(part);
    }
  }
  return children;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

/** Line and column in `text`, both from 1 as editors count them. */
function placeOf(text: string, index: number): { line: number; column: number } {
  const lines = text.slice(0, index).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}

function oneLine(source: string): string {
  const line = source.replace(/\s+/g, ' ');
  return line.length <= 80 ? line : `${line.slice(0, 77)}...`;
}
