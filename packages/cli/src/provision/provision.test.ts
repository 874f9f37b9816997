import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyOf } from '@nautilus/bus';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runProvision } from './command.ts';
import { provision } from './provision.ts';

let directory: string;
const make = (...containers: string[]) => provision({ directory, host: 'h1', containers, owner: null });
const file = (...parts: string[]) => join(directory, ...parts);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nautilus-identities-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('gives each party a folder of its own with a seed that nobody else reads, and the server the public halves', () => {
  const made = make('sandbox', 'risk-engine');
  expect(made.map(({ party, role, isNew }) => [party, role, isNew])).toEqual([
    ['agent', 'agent', true],
    ['orchestrator', 'orchestrator', true],
    ['monitor', 'monitor', true],
    ['maintenance', 'maintenance', true],
    ['operator', 'operator', true],
    ['sandbox', 'container', true],
    ['risk-engine', 'container', true],
  ]);
  const config = readFileSync(file('nats', 'nats.conf'), 'utf8');
  for (const { party, publicKey } of made) {
    expect(statSync(file(party, 'seed.nk')).mode & 0o777).toBe(0o600);
    expect(publicKeyOf(readFileSync(file(party, 'seed.nk'), 'utf8').trim())).toBe(publicKey);
    expect(config).toContain(publicKey);
  }
  expect(config).not.toMatch(/\bSU[A-Z2-7]{56}\b/);
  expect(config).toContain('nautilus.v1.req.h1.sandbox.>');
});

it('run again keeps every seed and takes a new party in', () => {
  const before = make('sandbox');
  const after = make('sandbox', 'portfolio');
  expect(after.filter(({ isNew }) => isNew).map(({ party }) => party)).toEqual(['portfolio']);
  for (const old of before)
    expect(after.find(({ party }) => party === old.party)?.publicKey).toBe(old.publicKey);
});

it('does not write over what is no seed, and says what to do', () => {
  make('sandbox');
  writeFileSync(file('sandbox', 'seed.nk'), 'mine');
  expect(() => make('sandbox')).toThrow(
    /seed\.nk is there and holds no seed; remove it to have a new one made for sandbox/,
  );
  expect(readFileSync(file('sandbox', 'seed.nk'), 'utf8')).toBe('mine');
});

it('says as a command what it made, what was missing, and what it does not understand', () => {
  const env = {};
  expect(runProvision([directory], env, '/')).toMatchObject({
    exitCode: 0,
    text: expect.stringMatching(/^21 identities; new: agent, /),
  });
  expect(runProvision([directory], env, '/')).toEqual({
    exitCode: 0,
    text: '21 identities; none was missing\n',
  });
  expect(runProvision([directory, 'root'], env, '/')).toEqual({
    exitCode: 2,
    text: `usage: main.js DIRECTORY [UID], found "${directory} root"\n`,
  });
  writeFileSync(file('agent', 'seed.nk'), 'mine');
  expect(runProvision([directory], env, '/')).toMatchObject({
    exitCode: 1,
    text: expect.stringContaining('holds no seed'),
  });
});
