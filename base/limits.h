#ifndef KOSHIN_BASE_LIMITS_H
#define KOSHIN_BASE_LIMITS_H
/*
 * Every limit, in one place, each with its reason. Reaching one is an error with words, never truncation.
 */
enum {
	LIMIT_NAME_BYTES = 253,	      /* RFC 1035: a host name in text form */
	LIMIT_LABEL_BYTES = 63,	      /* RFC 1035 */
	LIMIT_NAME_LABELS = 10,	      /* Let's Encrypt refuses more */
	LIMIT_SITE_NAMES = 100,	      /* most names of one certificate (Let's Encrypt, classic profile) */
	LIMIT_URL_BYTES = 2000,	      /* the longest redirect a validator follows; no CA's URL is near it */
	LIMIT_BODY_BYTES = 256 * 1024, /* an answer of a CA: a chain of ten certificates fits many times */
	LIMIT_MESSAGE_BYTES = 96 * 1024, /* one message between our processes: fits a socket's buffer */
	LIMIT_P12_ROUNDS = 2 * 1000 * 1000, /* of a password, over all parts of one PKCS#12 file: about a second; usual are 2,000 to 600,000 */
	LIMIT_CHAIN_BYTES = 64 * 1024,	 /* PEM chain of one certificate */
	LIMIT_SEALED_BYTES = 8 * 1024,	 /* one sealed private key (RSA-4096 takes 2.4 KiB) */
	LIMIT_CSR_BYTES = 16 * 1024,	 /* CSR of 100 names of 100 bytes */
	LIMIT_ADDRESSES = 16,		 /* addresses of one name that are probed */
	LIMIT_FINDINGS = 16,		 /* findings of one name: the cause and what was also noticed */
	LIMIT_EVIDENCE_BYTES = 4096,	 /* evidence kept with one finding */
	LIMIT_PROBE_BODY_BYTES = 512,	 /* of a challenge answer that is kept as evidence */
	LIMIT_HOME_BYTES = 64 * 1024,	 /* of a home page: what it loads stands at its beginning */
	LIMIT_CRL_BYTES = 2 * 1024 * 1024, /* a list of revoked certificates: some ten thousand, and CAs have many small ones */
	LIMIT_SERVICES = 8,		 /* ports beside the web at which certificates are looked at: mail has six, FTP one */
	LIMIT_TURN_BYTES = 8 * 1024 * 1024, /* memory of one turn */
	LIMIT_TURN_SITES = 256,		 /* sites stepped in one transaction: keeps a turn short */
	LIMIT_ORDERS_OPEN = 2000,	 /* CA-FACTS: 25 issuances/s at 60 s are 1,500 in flight */
	LIMIT_CHECKS_OPEN = 500,	 /* sites probed at one time */
	LIMIT_LETTER_BYTES = 64 * 1024,	 /* one letter, whole message */
	LIMIT_CSRS = 10,		 /* of one site, waiting for bought certificates: each has a key */
	LIMIT_REQUEST_BYTES = 256 * 1024, /* body of one API request */
	LIMIT_UNCLASSIFIED_ROWS = 1000,	 /* texts of CAs that no rule understood: the newest are the operator's work */
	LIMIT_PAGE_ROWS = 500,		 /* rows of one page of a list */
	LIMIT_WATCH_SAMPLES = 1200,	 /* handshakes of one look of the watchdog: 20 a second, 1.7 million a day */
	LIMIT_CAS = 16,			 /* CAs in use at one time: a handful in the world issue freely by ACME */
	LIMIT_INVITATIONS = 20,		 /* of one owner that nobody has followed yet: more than any household, too few to send rubbish by */
	LIMIT_PASSKEYS = 20,		 /* of one person: a few machines and keys each */
	LIMIT_UPDATE_ZONES = 64,	 /* zones of the provider's own, where addresses may be added */
	LIMIT_VANTAGES = 8,		 /* vantage points: more networks than any CA checks from */
	LIMIT_VANTAGE_ASKERS = 64,	 /* installations that one vantage point answers */
	LIMIT_QUESTION_NAMES = 20,	 /* of one question to a vantage point: its answer fits LIMIT_BODY_BYTES, whatever servers say */
	LIMIT_QUESTION_BYTES = 16 * 1024, /* 20 names of 253 bytes, signed, in base64 */
	LIMIT_VIEW_ADDRESSES = 8,	 /* of one name that a vantage point looks at and tells: of each family a CA tries one */
	LIMIT_VIEW_BODY_BYTES = 128,	 /* of a wrong answer that it passes on: a right one is shorter */
	LIMIT_COMMAND_OUTPUT_BYTES = 8192, /* words kept of a configuration test */
};
#endif
