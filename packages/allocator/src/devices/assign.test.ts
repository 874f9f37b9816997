/** The choice of a device for a region, as a table: what is wanted, what is there, and what is said of the difference. */
import { describe, expect, it } from 'vitest';
import { assignDevices, type FoundDevice } from './assign.ts';

const gpu: FoundDevice = {
  id: 'vulkan:0',
  kind: 'vulkan',
  name: 'Radeon',
  software: false,
  lostReason: null,
};
const llvmpipe: FoundDevice = { ...gpu, id: 'vulkan:1', name: 'llvmpipe', software: true };
const metal: FoundDevice = { ...gpu, id: 'metal:0', kind: 'metal', name: 'M4 Max' };
const rules = { allowSoftware: false, absent: { vulkan: 'no driver', coreml: 'no Mac' } };

describe('a region', () => {
  it.each([
    {
      title: 'of the host',
      wanted: 'host',
      devices: [gpu],
      device: 'host',
      state: 'as-wanted',
      reason: null,
    },
    {
      title: 'with its GPU',
      wanted: 'gpu',
      devices: [gpu],
      device: 'vulkan:0',
      state: 'as-wanted',
      reason: null,
    },
    {
      title: 'with two kinds of GPU',
      wanted: 'gpu',
      devices: [gpu, metal],
      device: 'metal:0',
      state: 'as-wanted',
      reason: null,
    },
    {
      title: 'whose first GPU is lost',
      wanted: 'gpu',
      devices: [{ ...metal, lostReason: 'gone' }, gpu],
      device: 'vulkan:0',
      state: 'lost',
      reason: 'metal:0 (M4 Max): gone',
    },
    {
      title: 'whose only GPU is lost',
      wanted: 'gpu',
      devices: [{ ...gpu, lostReason: 'the driver reset it' }],
      device: 'host',
      state: 'lost',
      reason: 'vulkan:0 (Radeon): the driver reset it',
    },
    {
      title: 'without a GPU',
      wanted: 'gpu',
      devices: [],
      device: 'host',
      state: 'missing',
      reason: 'metal: not built for this platform; vulkan: no driver',
    },
    {
      title: 'with a GPU that is none',
      wanted: 'gpu',
      devices: [llvmpipe],
      device: 'host',
      state: 'missing',
      reason: 'vulkan:1 (llvmpipe) is computed by the processor and makes nothing faster',
    },
    {
      title: 'of a neural engine that is not there',
      wanted: 'neural-engine',
      devices: [gpu],
      device: 'host',
      state: 'missing',
      reason: 'coreml: no Mac',
    },
  ])('$title', ({ wanted, devices, device, state, reason }) => {
    const assigned = assignDevices([{ region: 'r', wanted }], devices, rules);
    expect(assigned.get('r')).toEqual({ wanted, device, state, reason });
  });

  it('takes a software device when that is allowed', () => {
    const assigned = assignDevices([{ region: 'r', wanted: 'gpu' }], [llvmpipe], {
      ...rules,
      allowSoftware: true,
    });
    expect(assigned.get('r')?.device).toBe('vulkan:1');
  });
});
