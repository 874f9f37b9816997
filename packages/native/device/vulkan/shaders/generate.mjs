// Compiles the shaders to SPIR-V words in ../shaders.generated.h, which is committed so that nobody needs a shader
// compiler to build. `node generate.mjs` writes it; `--check` compares it with what glslang makes.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const header = join(dirname(folder), 'shaders.generated.h');
const names = ['fill', 'copy', 'checksum'];
const wordsPerLine = 9;

function compilerVersion() {
  const found = spawnSync('glslangValidator', ['--version'], { encoding: 'utf8' });
  return found.status === 0 ? (/^Glslang Version: (\S+)/m.exec(found.stdout)?.[1] ?? 'unknown') : null;
}

function compile(name, scratch) {
  const output = join(scratch, `${name}.spv`);
  const source = join(folder, `${name}.comp`);
  const outcome = spawnSync('glslangValidator', ['-g0', '--target-env', 'vulkan1.2', '-o', output, source], {
    encoding: 'utf8',
  });
  if (outcome.status !== 0) throw new Error(`${name}.comp: ${outcome.stdout}${outcome.stderr}`);
  const bytes = readFileSync(output);
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32LE(at * 4));
}

function asArray(name, words) {
  const hex = words.map((word) => `0x${word.toString(16).padStart(8, '0')}`);
  const lines = [];
  for (let at = 0; at < hex.length; at += wordsPerLine)
    lines.push(hex.slice(at, at + wordsPerLine).join(', '));
  const title = name[0].toUpperCase() + name.slice(1);
  return `inline constexpr uint32_t k${title}Shader[] = {\n    ${lines.join(',\n    ')},\n};\n`;
}

/** The text of the header. */
function generate(version) {
  const scratch = mkdtempSync(join(tmpdir(), 'nautilus-shaders-'));
  try {
    return `// SPIR-V of shaders/*.comp, so that no build needs a shader compiler. Made by shaders/generate.mjs.
// glslang ${version}
#pragma once

#include <cstdint>

namespace nautilus {

${names.map((name) => asArray(name, compile(name, scratch))).join('\n')}
}  // namespace nautilus
`;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** What is wrong, or why it could not be compared. */
export function checkShaders() {
  const committed = readFileSync(header, 'utf8');
  const madeBy = /^\/\/ glslang (\S+)$/m.exec(committed)?.[1];
  const version = compilerVersion();
  if (version === null) return { skipped: 'glslangValidator is not installed', failed: null };
  if (version !== madeBy) {
    return { skipped: `the words were made by glslang ${madeBy}, and ${version} is installed`, failed: null };
  }
  if (generate(version) === committed) return { skipped: null, failed: null };
  return {
    skipped: null,
    failed: 'shaders.generated.h is not what the shaders compile to; run generate.mjs',
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const { skipped, failed } = checkShaders();
    process.stdout.write(
      `${failed ?? (skipped === null ? 'the words are up to date' : `skipped: ${skipped}`)}\n`,
    );
    process.exitCode = failed === null ? 0 : 1;
  } else {
    const version = compilerVersion();
    if (version === null) throw new Error('glslangValidator is needed (package glslang-tools)');
    writeFileSync(header, generate(version));
  }
}
