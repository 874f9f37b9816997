/** What is said of a machine: nothing is called there that is not, and what is unproven says so with the command. */
import { detectDevices, macVerification, probeHost } from '@nautilus/native';
import { describe, expect, it } from 'vitest';
import { findingsOf, renderFindings } from './findings.ts';

const bare = { kinds: [{ kind: 'vulkan', summary: '', reason: 'no libvulkan.so.1' }], devices: [] };
const unverified = { verified: false, reason: 'no Mac has run it' } as const;
const host = probeHost();

describe('the doctor', () => {
  it('names what is missing with the reason and the remedy', () => {
    const findings = findingsOf({
      host: { ...host, psi: { available: false, reason: 'psi=0 on the command line' } },
      devices: bare,
      mac: unverified,
    });
    expect(findings).toContainEqual({
      name: 'stall time (PSI)',
      state: 'missing',
      text: 'psi=0 on the command line',
      remedy: null,
    });
    expect(findings.find(({ name }) => name === 'devices: vulkan')).toMatchObject({
      state: 'missing',
      text: 'no libvulkan.so.1',
      remedy: expect.stringContaining('mesa-vulkan-drivers'),
    });
  });

  it('calls Metal and Core ML unproven until a Mac has run them', () => {
    const of = (mac: Parameters<typeof findingsOf>[0]['mac']) =>
      findingsOf({ host, devices: bare, mac }).find(({ name }) => name === 'Metal and Core ML');
    expect(of(unverified)).toMatchObject({ state: 'unproven', remedy: 'npm run verify:mac' });
    expect(
      of({ verified: true, file: 'docs/verification/mac-2030-01-01.json', date: '2030-01-01' }),
    ).toMatchObject({ state: 'here' });
  });

  it('prints a line for everything found on this machine', () => {
    const devices = detectDevices();
    const text = renderFindings(findingsOf({ host, devices, mac: macVerification('/nowhere') }));
    for (const { id, name } of devices.devices) {
      expect(text).toContain(id);
      expect(text).toContain(name);
    }
    expect(text).toContain('no Mac has run Metal or Core ML here yet');
  });
});
