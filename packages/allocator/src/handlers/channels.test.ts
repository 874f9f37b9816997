import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint, RequestContext } from '@nautilus/bus';
import {
  admitSubscriber,
  configSchema,
  dismissSubscriber,
  type Exchange,
  NautilusError,
  type Result,
  scaleMemory,
  unwrap,
} from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent } from '../agent.ts';
import { mostChannels } from '../memory/channels.ts';
import { Journal } from '../memory/journal.ts';
import {
  closeChannelEndpoint,
  leaveChannelEndpoint,
  listChannelsEndpoint,
  openChannelEndpoint,
} from './channels.ts';
import { joinChannelEndpoint, type PublisherBus } from './join-channel.ts';

const admission = { slot: 3, startSequence: -11, frameBytes: 4096 };
const code = (result: Result<unknown>) => (result.ok ? 'ok' : result.fault.code);

describe('channel.*', () => {
  let directory: string;
  let journal: Journal;
  let agent: Agent;
  /** What publishers were asked, and what they answer. */
  let asked: { contract: Exchange; party: string | undefined; body: object }[];
  let answer: () => unknown;
  let told: { session: number; segment: string; reason: string }[];
  const bus: PublisherBus = {
    request: async (contract, at, body) => {
      asked.push({ contract, party: at.party, body: body as object });
      return (await answer()) as never;
    },
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'nautilus-channels-'));
    journal = Journal.open(directory).journal;
    asked = [];
    told = [];
    answer = () => admission;
    const config = configSchema.parse({ host: { state_dir: directory } });
    agent = createAgent({
      config,
      shape: scaleMemory(config, 2 ** 40),
      journal,
      events: {
        leased: () => {},
        ended: () => {},
        granted: () => {},
        letGo: (session, segment, reason) => told.push({ session, segment, reason }),
      },
      key: Buffer.alloc(32),
      pageBytes: 4096,
      descriptorLimit: 4096,
      instance: 'i',
      now: () => 1,
    });
  });
  afterEach(() => {
    for (const lease of [...agent.table.leases.values()]) agent.table.end(lease, 'release');
    journal.close();
    rmSync(directory, { recursive: true });
  });

  const endpoints = () => ({
    open: openChannelEndpoint(agent),
    join: joinChannelEndpoint(agent, bus),
    leave: leaveChannelEndpoint(agent, bus),
    close: closeChannelEndpoint(agent),
    list: listChannelsEndpoint(agent),
  });
  const call = async (verb: keyof ReturnType<typeof endpoints>, party: string, body: object) => {
    const { handle, contract }: Endpoint = endpoints()[verb];
    const result = await handle(contract.request.parse(body), { party } as RequestContext);
    if (result.ok) contract.response.parse(result.value);
    return result as Result<Record<string, unknown>>;
  };
  let session = 0;
  /** A segment that its owner has mapped, unless it shall not have. */
  const segment = (container: string, options: { mapped?: boolean } = {}): string => {
    const begin = { container, pool: 'temporary', bytes: 4096, ttlMs: 1000, mode: 'mapped' } as const;
    const lease = unwrap(agent.table.begin(begin));
    session += 1;
    const ticket = { container, segment: lease.segment, access: 'read-write', expiresAt: 100 } as const;
    unwrap(agent.exchange.redeem(session, container, agent.tickets.issue(ticket))).closeAfterSend.close();
    if (options.mapped !== false) unwrap(agent.exchange.mapped(session, lease.segment));
    return lease.segment;
  };
  const grantsOf = (id: string) => [...(agent.table.leases.get(id)?.grants ?? [])];
  const publish = async (readers: 'any' | string[] = ['risk-engine'], channel = 'quotes') => {
    const id = segment('market-data');
    unwrap(await call('open', 'market-data', { channel, segment: id, readers }));
    return id;
  };
  const quotes = { channel: 'quotes', from: 'market-data' };

  it('lets a reader join: both segments are granted, the publisher is asked, its answer is passed on', async () => {
    const published = await publish();
    const cursor = segment('risk-engine');
    const body = { mode: 'in-place', subscription: cursor, nonce: 7 };
    const joined = await call('join', 'risk-engine', { ...quotes, ...body });
    expect(unwrap(joined)).toEqual({ ...admission, segment: published, mode: 'in-place' });
    expect([grantsOf(published), grantsOf(cursor)]).toEqual([['risk-engine'], ['market-data']]);
    expect(asked).toEqual([
      {
        contract: admitSubscriber,
        party: 'market-data',
        body: { channel: 'quotes', subscriber: 'risk-engine', ...body },
      },
    ]);
  });

  it('looks the same to a stranger, to the publisher itself, and for a channel that is not there', async () => {
    const published = await publish();
    const refusals = [];
    for (const [party, channel] of [
      ['sandbox', 'quotes'],
      ['sandbox', 'nothing'],
      ['market-data', 'quotes'],
    ] as const) {
      const subscription = segment(party);
      const body = { channel, from: 'market-data', mode: 'in-place', subscription };
      const result = await call('join', party, body);
      refusals.push(
        result.ok ? 'ok' : `${result.fault.code} ${result.fault.message.replaceAll(/quotes|nothing/g, '…')}`,
      );
      expect(code(await call('leave', party, { channel, from: 'market-data', subscription }))).toBe(
        'unknown_channel',
      );
    }
    expect(refusals[0]).toBe(refusals[1]);
    expect(refusals[2]).toMatch(/^unknown_channel/);
    expect(grantsOf(published)).toEqual([]);
    expect(asked).toEqual([]);
    expect(unwrap(await call('list', 'sandbox', {})).channels).toEqual([]);
    expect(unwrap(await call('list', 'risk-engine', {})).channels).toEqual([quotes]);
    expect(unwrap(await call('list', 'market-data', {})).channels).toEqual([quotes]);
    expect(unwrap(await call('list', 'risk-engine', { from: 'archive' })).channels).toEqual([]);
  });

  it('takes "any" for every container of this host and for nobody else', async () => {
    await publish('any');
    const join = (party: string) =>
      call('join', party, { ...quotes, mode: 'copy', subscription: 'c-00000001' });
    expect(code(await join('sandbox'))).toBe('ok');
    expect(code(await join('nobody'))).toBe('unknown_container');
  });

  it("takes no cursor but the joining container's own, mapped one", async () => {
    const published = await publish('any');
    const theirs = segment('archive');
    const unmapped = segment('sandbox', { mapped: false });
    const join = async (subscription: string) =>
      code(await call('join', 'sandbox', { ...quotes, mode: 'in-place', subscription }));
    expect(await join(theirs)).toBe('unknown_segment');
    expect(await join(published)).toBe('unknown_segment');
    expect(await join('c-00000001')).toBe('unknown_segment');
    expect(await join(unmapped)).toBe('not_mapped');
    expect([grantsOf(published), grantsOf(theirs), grantsOf(unmapped)]).toEqual([[], [], []]);
    expect(asked).toEqual([]);
  });

  it('gives no right when the publisher admits nobody, says nothing, or does not know its channel', async () => {
    const published = await publish();
    const cursor = segment('risk-engine');
    for (const [refusal, expected] of [
      ['overloaded', 'overloaded'],
      ['unavailable', 'not_ready'],
      ['timeout', 'not_ready'],
      ['unknown_channel', 'not_ready'],
    ] as const) {
      answer = () => {
        throw new NautilusError({ code: refusal, message: 'by the test' });
      };
      const result = await call('join', 'risk-engine', { ...quotes, mode: 'in-place', subscription: cursor });
      expect(code(result)).toBe(expected);
      expect([grantsOf(published), grantsOf(cursor)]).toEqual([[], []]);
    }
    answer = () => {
      throw new TypeError('a bug is not a refusal');
    };
    await expect(
      call('join', 'risk-engine', { ...quotes, mode: 'in-place', subscription: cursor }),
    ).rejects.toThrow(TypeError);
  });

  it('keeps the rights of an admitted subscriber when a second join of it fails', async () => {
    const published = await publish();
    const cursor = segment('risk-engine');
    const join = () => call('join', 'risk-engine', { ...quotes, mode: 'in-place', subscription: cursor });
    expect(code(await join())).toBe('ok');
    answer = () => {
      throw new NautilusError({ code: 'unavailable', message: 'away for a moment' });
    };
    expect(code(await join())).toBe('not_ready');
    expect([grantsOf(published), grantsOf(cursor)]).toEqual([['risk-engine'], ['market-data']]);
  });

  it('answers a subscriber that died while it was admitted, and leaves it no right', async () => {
    const published = await publish();
    const cursor = segment('risk-engine');
    const holder = session;
    answer = () => {
      const lease = agent.table.leases.get(cursor);
      if (lease !== undefined) agent.table.holderLeft(lease, holder);
      return admission;
    };
    const result = await call('join', 'risk-engine', { ...quotes, mode: 'in-place', subscription: cursor });
    expect(code(result)).toBe('already_released');
    expect(grantsOf(published)).toEqual([]);
  });

  it('ends the grant with the last subscription of a container, whether it leaves or dies', async () => {
    const published = await publish('any');
    const cursors = [segment('risk-engine'), segment('risk-engine'), segment('archive')] as const;
    const [first, second, third] = cursors;
    for (const [party, subscription] of [
      ['risk-engine', first],
      ['risk-engine', second],
      ['archive', third],
    ] as const)
      unwrap(await call('join', party, { ...quotes, mode: 'in-place', subscription }));
    const leave = async (party: string, subscription: string) =>
      code(await call('leave', party, { ...quotes, subscription }));
    expect(await leave('archive', first)).toBe('unknown_segment');
    expect(await leave('risk-engine', first)).toBe('ok');
    expect(grantsOf(published)).toEqual(['risk-engine', 'archive']);
    const dying = agent.table.leases.get(second);
    if (dying !== undefined) agent.table.end(dying, 'holder-closed');
    expect(grantsOf(published)).toEqual(['archive']);
  });

  it('is over with its segment, and can then be opened anew; before that another segment is a conflict', async () => {
    const published = await publish();
    const other = segment('market-data');
    const open = async (id: string) =>
      code(await call('open', 'market-data', { channel: 'quotes', segment: id, readers: 'any' }));
    expect(await open(other)).toBe('conflict');
    expect(await open(published)).toBe('ok');
    unwrap(agent.table.owned(published, 'market-data'));
    const lease = agent.table.leases.get(published);
    if (lease !== undefined) agent.table.end(lease, 'holder-closed');
    const join = () => call('join', 'sandbox', { ...quotes, mode: 'copy', subscription: 'c-00000001' });
    expect(code(await join())).toBe('unknown_channel');
    expect(await open(other)).toBe('ok');
    expect(code(await join())).toBe('ok');
  });

  it('closes for newcomers, for its publisher only, in its segment, and once', async () => {
    const published = await publish('any');
    const close = (party: string, id: string) => call('close', party, { channel: 'quotes', segment: id });
    expect(code(await close('sandbox', published))).toBe('unknown_channel');
    // Another client of the container, whose channel of that name was refused, closes nobody's.
    expect(code(await close('market-data', segment('market-data')))).toBe('unknown_channel');
    expect(unwrap(await close('market-data', published)).subscriptions).toBe(0);
    expect(code(await close('market-data', published))).toBe('unknown_channel');
    const late = await call('join', 'sandbox', { ...quotes, mode: 'copy', subscription: 'c-00000001' });
    expect(code(late)).toBe('unknown_channel');
  });

  it("needs the publisher's own mapped segment, and has a limit", async () => {
    const open = async (party: string, id: string, channel = 'quotes') =>
      code(await call('open', party, { channel, segment: id, readers: 'any' }));
    const own = segment('market-data');
    expect(await open('sandbox', own)).toBe('unknown_segment');
    expect(await open('market-data', segment('market-data', { mapped: false }))).toBe('not_ready');
    for (let index = 0; index < mostChannels; index += 1)
      expect(await open('market-data', own, `c${index}`)).toBe('ok');
    expect(await open('market-data', own, 'one-more')).toBe('over_budget');
    expect(await open('market-data', own, 'c0')).toBe('ok');
  });

  it('passes the end of a copied subscription on to the publisher', async () => {
    await publish('any');
    answer = () => ({ subscription: 'c-00000001' });
    expect(code(await call('leave', 'sandbox', { ...quotes, subscription: 'c-00000001' }))).toBe('ok');
    expect(asked).toEqual([
      {
        contract: dismissSubscriber,
        party: 'market-data',
        body: { channel: 'quotes', subscriber: 'sandbox', subscription: 'c-00000001' },
      },
    ]);
  });
});
