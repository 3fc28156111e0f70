//! Encryption: whom to believe that it is the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portlease_core::{StoreError, StoreErrorKind};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Who is believed to be the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Whoever answers: what is read on the way is hidden, and nothing else is proved.
    Anybody,
    /// Whoever has a certificate that leads to one of these roots.
    Chain(Roots),
    /// Who has one, and in it the name of the host.
    Name(Roots),
}

/// The certificates that are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    System,
    File(PathBuf),
}

/// What makes connections encrypted.
pub(crate) fn connector(trust: &Trust) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the provider has what the protocol wants");
    let config = match trust {
        Trust::Anybody => believing(config, Believer::Anybody(provider)),
        Trust::Chain(roots) => {
            let verifier =
                WebPkiServerVerifier::builder_with_provider(roots.read()?.into(), provider)
                    .build()
                    .expect("there are roots");
            believing(config, Believer::Chain(verifier))
        }
        Trust::Name(roots) => config
            .with_root_certificates(roots.read()?)
            .with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn believing(
    config: rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>,
    believer: Believer,
) -> ClientConfig {
    config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(believer))
        .with_no_client_auth()
}

impl Roots {
    fn read(&self) -> Result<RootCertStore, StoreError> {
        let mut store = RootCertStore::empty();
        match self {
            Self::System => {
                let found = rustls_native_certs::load_native_certs();
                store.add_parsable_certificates(found.certs);
            }
            Self::File(path) => {
                for certificate in in_file(path)? {
                    store.add(certificate).map_err(|error| {
                        unusable(format!(
                            "{} is no certificate to trust: {error}.",
                            path.display()
                        ))
                    })?;
                }
            }
        }
        if store.is_empty() {
            return Err(unusable(match self {
                Self::System => "This system has no certificates that are trusted.".to_owned(),
                Self::File(path) => format!("{} has no certificate.", path.display()),
            }));
        }
        Ok(store)
    }
}

fn in_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let pem = fs::read(path).map_err(|error| {
        unusable(format!(
            "The certificates in {} cannot be read: {error}.",
            path.display()
        ))
    })?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    read.map_err(|error| {
        unusable(format!(
            "{} is no file of certificates: {error:?}.",
            path.display()
        ))
    })
}

fn unusable(problem: String) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Unsuitable,
        problem,
        remedy: "Name the file with the server's root certificate: sslrootcert=FILE.".to_owned(),
    }
}

/// What libpq believes below `verify-full`.
#[derive(Debug)]
enum Believer {
    Anybody(Arc<CryptoProvider>),
    Chain(Arc<WebPkiServerVerifier>),
}

impl ServerCertVerifier for Believer {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Self::Chain(verifier) = self else {
            return Ok(ServerCertVerified::assertion());
        };
        match verifier.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The name is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self {
            Self::Anybody(provider) => {
                let algorithms = &provider.signature_verification_algorithms;
                verify_tls12_signature(message, certificate, signature, algorithms)
            }
            Self::Chain(verifier) => {
                verifier.verify_tls12_signature(message, certificate, signature)
            }
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self {
            Self::Anybody(provider) => {
                let algorithms = &provider.signature_verification_algorithms;
                verify_tls13_signature(message, certificate, signature, algorithms)
            }
            Self::Chain(verifier) => {
                verifier.verify_tls13_signature(message, certificate, signature)
            }
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        match self {
            Self::Anybody(provider) => provider
                .signature_verification_algorithms
                .supported_schemes(),
            Self::Chain(verifier) => verifier.supported_verify_schemes(),
        }
    }
}
