"""Asks pyHanko about a seal with nothing but the evidence in the file (PAdES B-LT and B-LTA), as when nobody answers any more."""

import asyncio
import sys

from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager


def judge(reader, roots):
    store = DocumentSecurityStore.read_dss(reader)
    settings = {"trust_roots": roots, "allow_fetching": False, "revocation_mode": "require"}
    seal = validate_pdf_signature(reader.embedded_regular_signatures[0], store.as_validation_context(settings))
    yield "seal", seal.bottom_line, seal.summary()
    for stamp in reader.embedded_timestamp_signatures:
        status = validate_pdf_timestamp(stamp, store.as_validation_context(settings))
        yield "time-stamp", status.valid and status.trusted, status.summary()
    if reader.embedded_timestamp_signatures:
        outcome = archived(reader, settings["trust_roots"]).ades_subindic
        yield "seal by the rules for archives", outcome == AdESPassed.OK, outcome


def archived(reader, roots):
    """The rules of ETSI EN 319 102-1, 5.6.3, for what is kept for long."""
    certificates = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=roots), revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO))
    spec = PdfSignatureValidationSpec(SignatureValidationSpec(cert_validation_policy=certificates, ts_cert_validation_policy=certificates))
    return asyncio.run(ades_lta_validation(reader.embedded_regular_signatures[0], spec))


roots, path = sys.argv[1:]
roots = list(load_certs_from_pemder([roots]))
with open(path, "rb") as file:
    reader = PdfFileReader(file)
    for what, valid, why in judge(reader, roots):
        print(f"The {what} is judged {'VALID' if valid else 'INVALID'}: {why}")
