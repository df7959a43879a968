/*
 * What may be typed into a field: what the API takes (doc/openapi.yaml), and nothing that it would refuse in words for programs. Each rule says what
 * is wrong and how to put it right.
 */
import { t, type Key } from "./words";

export type Rule = (value: string) => string | undefined;

/** The first that is broken. */
export const judge = (value: string, ...rules: Rule[]): string | undefined => rules.reduce<string | undefined>((wrong, rule) => wrong ?? rule(value), undefined);

/** As a Japanese keyboard types it, ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ, and as it is meant: taro@example.jp. */
export const plain = (value: string): string => value.normalize("NFKC").trim();

export const needed =
	(key: Key): Rule =>
	(value) =>
		value.trim() ? undefined : t(key);

/** Characters, as the API counts them */
export const most =
	(max: number): Rule =>
	(value) => {
		const n = [...value].length;
		return n > max ? t("field.too-long", max.toLocaleString("en"), n.toLocaleString("en")) : undefined;
	};

/** As much as fits, where it is bytes that count */
export const mostBytes =
	(max: number): Rule =>
	(value) => {
		const n = new TextEncoder().encode(value).length;
		return n > max ? t("field.too-long-bytes", max.toLocaleString("en"), n.toLocaleString("en")) : undefined;
	};

const without =
	(pattern: RegExp): Rule =>
	(value) =>
		pattern.test(value) ? t("field.control") : undefined;
/** One line, and nothing that cannot be seen. */
export const line: Rule = without(/[\u0000-\u001f\u007f]/);
export const lines: Rule = without(/[\u0000-\u0008\u000b-\u001f\u007f]/);

export const isMail: Rule = (value) => {
	const mail = plain(value);
	if (!mail) return t("login.mail-wrong");
	if (!mail.includes("@")) return t("field.mail-at");
	return /^[^\s<>,;:"()[\]\\@]+@[^\s<>,;"()\\@]+$/.test(mail) ? undefined : t("field.mail-kind");
};
/** A question, or its answer */
export const TEXT_MAX = 20000;
const MAIL_MAX = 254;
export const wrongMail = (value: string): string | undefined => judge(value, isMail, most(MAIL_MAX), line);

/** Without the spaces that make it readable */
export const plainCode = (value: string): string => plain(value).replace(/\s/g, "");
const CODE_MAX = 64;
export const wrongCode = (value: string): string | undefined =>
	judge(value, needed("login.code-missing"), most(CODE_MAX), (code) => (/^[0-9A-Za-z-]+$/.test(plainCode(code)) ? undefined : t("field.code-kind")));

export const PASSWORD_MAX = 1024;
export const wrongPassword = (value: string, missing: Key): string | undefined => (value ? mostBytes(PASSWORD_MAX)(value) : t(missing));
