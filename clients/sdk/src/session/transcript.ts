import type { TranscriptItem } from "./view";

type Ranked = { readonly rank: number; readonly item: TranscriptItem };

/** Items in their order, found by key. An item is replaced, never changed, so that an unchanged one is the same object. */
export class Transcript {
  private entries: Ranked[] = [];
  private ranks = new Map<string, number>();

  /** Put an item at its place, or replace the one with its key. A smaller rank stands before a larger one. */
  put(item: TranscriptItem, rank: number): void {
    const known = this.ranks.get(item.key);
    if (known === rank) {
      this.entries[this.indexOf(item.key)] = { rank, item };
      return;
    }
    if (known !== undefined) this.entries.splice(this.indexOf(item.key), 1);
    this.ranks.set(item.key, rank);
    this.insert({ rank, item });
  }

  /** The item with this key, if it is of this kind. */
  find<K extends TranscriptItem["kind"]>(key: string, kind: K): Extract<TranscriptItem, { kind: K }> | undefined {
    if (!this.ranks.has(key)) return undefined;
    const item = this.entries[this.indexOf(key)]?.item;
    return item?.kind === kind ? (item as Extract<TranscriptItem, { kind: K }>) : undefined;
  }

  /** Replace an item that is there, at the place that it has. */
  replace(item: TranscriptItem): void {
    const rank = this.ranks.get(item.key);
    if (rank !== undefined) this.put(item, rank);
  }

  remove(key: string): void {
    if (this.ranks.delete(key)) this.entries = this.entries.filter((entry) => entry.item.key !== key);
  }

  last(): TranscriptItem | undefined {
    return this.entries.at(-1)?.item;
  }

  snapshot(): readonly TranscriptItem[] {
    return this.entries.map((entry) => entry.item);
  }

  private insert(entry: Ranked): void {
    let index = this.entries.length;
    while (index > 0 && (this.entries[index - 1]?.rank ?? 0) > entry.rank) index -= 1;
    this.entries.splice(index, 0, entry);
  }

  private indexOf(key: string): number {
    return this.entries.findLastIndex((entry) => entry.item.key === key);
  }
}
