"""Asks pyHanko about a seal with nothing but the evidence in the file (PAdES B-LT), as when nobody answers any more."""

import sys

from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore

roots, path = sys.argv[1:]
with open(path, "rb") as file:
    reader = PdfFileReader(file)
    context = DocumentSecurityStore.read_dss(reader).as_validation_context(
        {"trust_roots": list(load_certs_from_pemder([roots])), "allow_fetching": False, "revocation_mode": "require"})
    status = validate_pdf_signature(reader.embedded_signatures[0], context)
    print(status.pretty_print_details())
