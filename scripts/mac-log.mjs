/**
 * The log of a verification on a Mac: what was run, what came out, and every failure by name. Its JSON is what
 * `macVerification()` of @nautilus/native believes; its page is for people.
 */

/** All of them have to pass. */
export const stepNames = ['addon builds', 'C++ tests', 'TypeScript tests', 'latencies', 'soak', 'findings'];

/**
 * `steps` are `{name, passed, detail}` in the order in which they ran; a step that did not run is missing, and missing
 * is a failure.
 */
export function makeLog({ date, machine, minutes, steps, latencies, soak, findings }) {
  const failures = stepNames.flatMap((name) => {
    const step = steps.find((entry) => entry.name === name);
    if (step === undefined) return [`${name}: did not run`];
    return step.passed ? [] : [`${name}: ${step.detail}`];
  });
  return { format: 1, date, machine, minutes, failures, steps, latencies, soak, findings };
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const rounded = (ns) => (ns >= 10_000 ? `${(ns / 1000).toFixed(1)} µs` : `${ns.toFixed(1)} ns`);

export function markdownOf(log) {
  const { date, machine, failures, steps, latencies, soak, findings } = log;
  const verdict = failures.length === 0 ? 'Everything passed.' : `${failures.length} failed.`;
  const measured = (latencies ?? []).map((line) =>
    line.failure === undefined
      ? [line.name, line.bytes, line.samples, rounded(line.p50Ns), rounded(line.p999Ns)]
      : [line.name, '', '', line.failure, ''],
  );
  const answers = (findings?.findings ?? []).map(({ question, answer }) => [question, answer]);
  const sections = [
    `# Verification on a Mac, ${date}`,
    `${machine.model}, ${machine.chip}, ${machine.memoryBytes} bytes, macOS ${machine.macos}, Node ${machine.node}, commit ${machine.commit}. ${verdict}`,
    table(
      ['step', 'outcome', 'detail'],
      steps.map(({ name, passed, detail }) => [name, passed ? 'passed' : 'FAILED', detail]),
    ),
    ...failures.map((failure) => `- FAILED: ${cell(failure)}`),
    '## Latencies\n\nFour different things; none stands for another. Completion by the device is no hand-over.',
    table(['what', 'bytes', 'samples', 'p50', 'p99.9'], measured),
    '## Soak',
    soak === undefined
      ? 'Did not run.'
      : `\`${JSON.stringify(soak)}\`: operations were compared with a model on the host.`,
    '## Findings\n\nAnswers of this one machine, not promises of the product.',
    table(['question', 'answer'], answers),
    findings === undefined
      ? 'Core ML was not asked.'
      : `Model: \`${JSON.stringify(findings.model)}\`. Devices: \`${JSON.stringify(findings.kinds)}\`.`,
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}
