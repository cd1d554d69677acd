import type { Operand } from '@gradpack/core';
import { GradPackError } from '@gradpack/core';
import { FUNCTIONS, type FunctionName, withDependencies } from '../kernels/functions.wgsl.js';
import {
  type Access,
  type BoundRange,
  type ElementType,
  type Lowering,
  type PackingCopy,
  type Span,
  TABLES,
  WORKGROUP,
} from './dispatch.js';

/**
 * Writes one dispatch: kernels name their parameters and operands and get WGSL to use in the body. All numbers of a call (extents,
 * strides, offsets, constants) become fields of the uniform block `p`, so that calls of equal form share one pipeline.
 */
export interface KernelText {
  /** A field of the parameter block; returns `p.name`. */
  int(name: string, value: number): string;
  float(name: string, value: number): string;
  /**
   * Declares `fn name(i: i32) -> type`, the operand's element i, and `fn name_at(j: i32) -> type` with j counted from the start of what
   * is bound, where the operand starts at `p.at_name`: inner loops add that once.
   */
  read(name: string, operand: Operand, type: ElementType, span?: Span): void;
  /** Declares `fn put_name(i: i32, value: type)`, which replaces or adds, and `fn now_name(i: i32) -> type`. */
  write(name: string, operand: Operand, type: ElementType, accumulate: boolean, span?: Span): void;
  /** Declares `fn raise_name(bits: i32)`: bits are or-ed into the operand's first element. */
  flag(name: string, operand: Operand): void;
  /** Declares `fn name(i: i32) -> i32` over a constant table. */
  table(name: string, key: string, make: () => Int32Array): void;
  /** Makes functions of `functions.wgsl.ts` known. */
  use(...names: readonly FunctionName[]): void;
  /** Declares a function of the kernel's own. */
  declare(text: string): void;
  /** Ends the text: `body` runs for i32 `i` < invocations. */
  dispatch(invocations: number, body: string): void;
}

interface Word {
  readonly name: string;
  readonly type: 'i32' | 'f32';
  readonly value: number;
}

interface StorageOperand {
  readonly name: string;
  readonly operand: Operand;
  readonly type: ElementType;
  readonly role: 'read' | 'replace' | 'accumulate' | 'flag';
  readonly span: Span | undefined;
}

export function kernelText(lowering: Lowering): KernelText {
  const words: Word[] = [];
  const operands: StorageOperand[] = [];
  const tables: string[] = [];
  const functions = new Set<FunctionName>();
  const declarations: string[] = [];
  const word = (name: string, type: 'i32' | 'f32', value: number): string => {
    if (!words.some((known) => known.name === name)) words.push({ name, type, value });
    return `p.${name}`;
  };
  return {
    int: (name, value) => word(name, 'i32', value),
    float: (name, value) => word(name, 'f32', value),
    read: (name, operand, type, span) => void operands.push({ name, operand, type, role: 'read', span }),
    write: (name, operand, type, accumulate, span) =>
      void operands.push({ name, operand, type, role: accumulate ? 'accumulate' : 'replace', span }),
    flag: (name, operand) => void operands.push({ name, operand, type: 'i32', role: 'flag', span: undefined }),
    table(name, key, make) {
      word(`at_${name}`, 'i32', lowering.table(key, make));
      tables.push(name);
    },
    use(...names) {
      for (const name of names) functions.add(name);
    },
    declare: (text) => void declarations.push(text),
    dispatch(invocations, body) {
      const { bindings, copies, starts, variables } = bind(lowering, operands, tables.length > 0);
      for (const [index, { name }] of operands.entries()) word(`at_${name}`, 'i32', starts[index] as number);
      word('count', 'i32', invocations);
      const code = [
        `struct Parameters { ${words.map(({ name, type }) => `${name}: ${type}`).join(', ')} }`,
        '@group(0) @binding(0) var<uniform> p: Parameters;',
        ...variables.map(
          ({ name, type, access }, index) =>
            `@group(0) @binding(${index + 1}) var<storage, ${access === 'read' ? 'read' : 'read_write'}> ${name}: array<${type}>;`,
        ),
        ...operands.map((operand, index) => accessor(operand, variableOf(variables, index))),
        ...tables.map((name) => `fn ${name}(i: i32) -> i32 { return b_tables[p.at_${name} + i]; }`),
        ...withDependencies(functions).map((name) => FUNCTIONS[name].text),
        ...declarations,
        `@compute @workgroup_size(${WORKGROUP})`,
        'fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {',
        `let i = i32(id.x + id.y * groups.x * ${WORKGROUP}u);`,
        'if (i >= p.count) { return; }',
        body,
        '}',
      ].join('\n');
      lowering.emit({
        shader: { code, access: variables.map((v) => v.access) },
        bindings,
        parameters: pack(words),
        invocations,
        copies,
      });
    },
  };
}

function pack(words: readonly Word[]): ArrayBuffer {
  const bytes = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach(({ type, value }, index) => {
    if (type === 'f32') bytes.setFloat32(index * 4, value, true);
    else bytes.setInt32(index * 4, value, true);
  });
  return bytes.buffer;
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly access: Access;
  /** The operands that read or write through it. */
  readonly operands: readonly number[];
}

interface BindingPlan {
  readonly variables: readonly Variable[];
  readonly bindings: readonly BoundRange[];
  readonly copies: readonly PackingCopy[];
  /** Of each operand: its first element within its variable. */
  readonly starts: readonly number[];
}

function variableOf(variables: readonly Variable[], operand: number): Variable {
  return variables.find((v) => v.operands.includes(operand)) as Variable;
}

function accessor({ name, type, role }: StorageOperand, { name: variable, type: stored }: Variable): string {
  const element = `${variable}[p.at_${name} + i]`;
  switch (role) {
    case 'read':
      return `fn ${name}_at(j: i32) -> ${type} { return ${stored === type ? `${variable}[j]` : `bitcast<${type}>(${variable}[j])`}; }
fn ${name}(i: i32) -> ${type} { return ${name}_at(p.at_${name} + i); }`;
    case 'replace':
    case 'accumulate':
      return `fn put_${name}(i: i32, value: ${type}) { ${element} ${role === 'replace' ? '=' : '+='} value; }
fn now_${name}(i: i32) -> ${type} { return ${element}; }`;
    case 'flag':
      return `fn raise_${name}(bits: i32) { atomicOr(&${variable}[p.at_${name}], bits); }`;
  }
}

/**
 * One variable an operand, as long as the device binds that many buffers. Beyond it operands of one buffer share a variable, and
 * beyond that the smallest buffers that are read are copied into one temporary.
 */
function bind(lowering: Lowering, operands: readonly StorageOperand[], usesTables: boolean): BindingPlan {
  const ranges = operands.map((o) => rangeOf(lowering, o));
  const starts = operands.map((o, index) => o.operand.offset - (ranges[index] as BoundRange).offset / 4);
  const copies: PackingCopy[] = [];
  const limit = lowering.limits.storageBuffers - (usesTables ? 1 : 0);

  let groups: { operands: number[]; range: BoundRange; type: string; access: Access }[] = operands.map((o, index) => ({
    operands: [index],
    range: ranges[index] as BoundRange,
    type: o.role === 'flag' ? 'atomic<i32>' : o.type,
    access: o.role === 'read' ? 'read' : 'write',
  }));
  if (groups.length > limit) {
    const shared = new Map<string, (typeof groups)[number]>();
    for (const group of groups) {
      const key =
        group.access === 'write'
          ? `write ${group.operands}`
          : `${group.range.buffer} ${group.range.offset} ${group.range.bytes} ${group.type}`;
      const known = shared.get(key);
      if (known) known.operands.push(...group.operands);
      else shared.set(key, group);
    }
    groups = [...shared.values()];
  }
  if (groups.length > limit) {
    const count = groups.length - limit + 1;
    const packed = groups
      .filter((g) => g.access === 'read')
      .sort((a, b) => a.range.bytes - b.range.bytes)
      .slice(0, count);
    const total = packed.reduce((sum, g) => sum + g.range.bytes, 0);
    const temporary = lowering.temporary(total / 4);
    const range = { buffer: temporary.buffer, offset: 0, bytes: total };
    assertBindable(lowering, total);
    let at = 0;
    for (const group of packed) {
      for (const index of group.operands) starts[index] = (starts[index] as number) + (group.range.offset + at) / 4;
      // a packed buffer is copied whole: a range that was cut out of it never is among the smallest
      copies.push({ from: group.range.buffer, to: temporary.buffer, at, bytes: group.range.bytes });
      at += group.range.bytes;
    }
    groups = [
      ...groups.filter((g) => !packed.includes(g)),
      { operands: packed.flatMap((g) => g.operands), range, type: 'u32', access: 'read' },
    ];
  }
  const variables = groups.map(
    (g): Variable => ({
      name: `b_${operands[g.operands[0] as number]?.name}`,
      type: g.type,
      access: g.access,
      operands: g.operands,
    }),
  );
  const bindings = groups.map((g) => g.range);
  if (!usesTables) return { variables, bindings, copies, starts };
  return {
    variables: [...variables, { name: 'b_tables', type: 'i32', access: 'read', operands: [] }],
    bindings: [...bindings, { buffer: TABLES, offset: 0, bytes: 0 }],
    copies,
    starts,
  };
}

/** The whole buffer where it can be bound, else the part that the span names. */
function rangeOf(lowering: Lowering, { operand, span }: StorageOperand): BoundRange {
  const whole = lowering.lengthOf(operand.buffer) * 4;
  if (whole <= lowering.limits.bindingBytes || !span) {
    assertBindable(lowering, whole);
    return { buffer: operand.buffer, offset: 0, bytes: whole };
  }
  const { alignment } = lowering.limits;
  const offset = Math.floor(((operand.offset + span[0]) * 4) / alignment) * alignment;
  const bytes = (operand.offset + span[1]) * 4 - offset;
  assertBindable(lowering, bytes);
  return { buffer: operand.buffer, offset, bytes };
}

function assertBindable(lowering: Lowering, bytes: number): void {
  const { bindingBytes } = lowering.limits;
  if (bytes > bindingBytes)
    throw new GradPackError('GRADPACK-OUT-OF-MEMORY', 'a tensor is larger than this device binds to a kernel', {
      where: 'webgpu prepare',
      expected: `at most ${bindingBytes} bytes (maxStorageBufferBindingSize)`,
      got: `${bytes} bytes`,
      fix: 'use a smaller batch or a smaller memoryLimit, or a backend without this limit (native, cpu)',
    });
}
