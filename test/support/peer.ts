/** A peer on the agent's socket that speaks frame by frame, for tests that must say exactly what the client library would not. */
import { type SocketReply, socketReply } from '@nautilus/contracts';
import { type Connection, connect, type Descriptor } from '@nautilus/native';

export interface Answer {
  readonly reply: SocketReply;
  readonly descriptors: Descriptor[];
}

const patienceMs = 5_000;

export class Peer implements AsyncDisposable {
  readonly connection: Connection;
  /** Frames that nobody has taken yet. */
  readonly #arrived: Answer[] = [];
  readonly #waiting: ((answer: Answer) => void)[] = [];
  readonly closed: Promise<string>;
  #nextId = 1000;

  private constructor(connection: Connection) {
    this.connection = connection;
    this.closed = new Promise((resolve) => connection.onClose(resolve));
    connection.onMessage((payload, descriptors) => {
      const answer = { reply: socketReply.parse(JSON.parse(payload.toString('utf8'))), descriptors };
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#arrived.push(answer);
      else waiter(answer);
    });
  }

  static async connect(path: string): Promise<Peer> {
    return new Peer(await connect({ path }));
  }

  send(message: object, descriptors: readonly Descriptor[] = []): void {
    this.connection.send(Buffer.from(JSON.stringify(message)), descriptors);
  }

  next(): Promise<Answer> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no frame within ${patienceMs} ms`)), patienceMs);
      this.#waiting.push((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  ask(message: object, descriptors: readonly Descriptor[] = []): Promise<Answer> {
    const answer = this.next();
    this.send(message, descriptors);
    return answer;
  }

  redeem(container: string, ticket: string): Promise<Answer> {
    this.#nextId += 1;
    return this.ask({ type: 'redeem', id: this.#nextId, container, ticket });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close();
    await this.closed;
  }
}
