#include "http/qr.h"
#include <errno.h>
#include <qrencode.h>

enum { QUIET = 4 };

enum err
qr_put_svg(struct str text, struct buf *to)
{
	QRcode *qr =
	    QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);

	if (qr == NULL)
		return errno == ERANGE ? ERR_TOO_LONG : ERR_MEMORY;
	int side = qr->width + 2 * QUIET;
	buf_putf(to,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
	    "shape-rendering=\"crispEdges\">"
	    "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"",
	    side, side, side, side);
	for (int y = 0; y < qr->width; y++)
		for (int x = 0; x < qr->width; x++)
			if ((qr->data[y * qr->width + x] & 1) != 0)
				buf_putf(to, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
	buf_putf(to, "\"/></svg>");
	QRcode_free(qr);
	return to->err;
}
