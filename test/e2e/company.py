"""The company of ./try that sells certificates: a root that browsers know, an intermediate, and what it signs."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from servers import key_pem, make_certificate, pem

DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class Company:
    def __init__(self):
        self._root_key, self.root = make_certificate("A company's root", None, None, [])
        self._issuer_key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "A company's issuer")])
        is_ca = x509.BasicConstraints(ca=True, path_length=0)
        self._issuer = self._sign(self._root_key, self.root, subject, self._issuer_key.public_key(), is_ca, is_critical=True)

    @staticmethod
    def _sign(key, issuer, subject, public_key, extension, is_critical=False):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now() - DAY / 24).not_valid_after(issuer.not_valid_after)
        return builder.add_extension(extension, critical=is_critical).sign(key, hashes.SHA256())

    def sell(self, names, began, ends):
        """Key, certificate and chain in one file, as a person uploads it."""
        key, leaf = make_certificate(names[0], self._issuer_key, self._issuer, names, began, ends)
        return key_pem(key) + pem(leaf) + pem(self._issuer)

    def answer(self, request):
        """(certificate, intermediate) as text for what was pasted; ValueError when that is no request for a certificate."""
        csr = x509.load_pem_x509_csr(request.strip().encode() + b"\n")
        if not csr.is_signature_valid:
            raise ValueError("its signature is wrong")
        try:
            names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound as error:
            raise ValueError("it names no site") from error
        leaf = self._sign(self._issuer_key, self._issuer, csr.subject, csr.public_key(), names)
        return pem(leaf).decode(), pem(self._issuer).decode()
