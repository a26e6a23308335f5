// Types of the texts that users read.

import type { DirectUploadFailure } from "./direct-upload.d.ts";

/** The texts by key, with the page's translations. */
export const messages: Record<string, string | Partial<Record<Intl.LDMLPluralRule, string>>>;

/** Resolves when the texts are in the page's language, or stay in English because there is no translation. */
export const translated: Promise<void>;

/** Add texts that are not there yet. */
export function addMessages(texts: Record<string, string | Partial<Record<Intl.LDMLPluralRule, string>>>): void;

/** Return a text with its placeholders, such as `{name}`, replaced. */
export function message(key: string, values?: Record<string, unknown>): string;

/** Return what happened and what to do, for users. */
export function explain(failure: DirectUploadFailure): string;

/** Return whether another attempt with the same file would fail again. */
export function isFinal(failure: DirectUploadFailure): boolean;

/** Return a failure's technical details, for developers. */
export function formatFailure(failure: DirectUploadFailure): string;

/** Return a number of bytes as people read it, such as "1.5 MB". `per` is the suffix of a unit, such as "-per-second". */
export function formatSize(bytes: number, language?: string, per?: string): string;

/** Return two sizes in the unit of the second, which only the second names, such as "45" and "120 MB". */
export function formatSizes(loaded: number, total: number): { loaded: string; total: string };

/** Return a speed, such as "1.5 MB/s". */
export function formatSpeed(bytesPerSecond: number, language?: string): string;

/** Return a share of 1 in per cent. */
export function formatShare(share: number, language?: string): string;

/** Return seconds as people read them, such as "2 min". */
export function formatDuration(seconds: number, language?: string): string;
