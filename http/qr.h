#ifndef KOSHIN_HTTP_QR_H
#define KOSHIN_HTTP_QR_H
/* A text as QR code (ISO/IEC 18004, by libqrencode), drawn as SVG: black on white with the quiet zone of four, in any theme. */
#include "base/str.h"

/* TOO_LONG: no QR code holds it. */
MUST_USE enum err qr_put_svg(struct str text, struct buf *to);
#endif
