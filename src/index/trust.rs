//! Which certificates are trusted: the system's, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
//!
//! On Linux these are hundreds of files, and reading them takes as long as some round trips. They
//! are needed only when a server has shown its certificate, so they are read meanwhile.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// The TLS settings of a client that trusts what the system trusts.
///
/// # Errors
/// When the system gives no thread, or the settings make no sense to the TLS library.
pub(super) fn settings() -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Awaited::new(&provider).map_err(|error| error.to_string())?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut settings = builder.with_no_client_auth();
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(settings)
}

/// The system's verifier, waited for when it is needed.
#[derive(Debug)]
struct Awaited {
    provider: Arc<CryptoProvider>,
    reading: Mutex<Option<JoinHandle<Result<Verifier, Error>>>>,
    verifier: OnceLock<Result<Verifier, Error>>,
}

impl Awaited {
    fn new(provider: &Arc<CryptoProvider>) -> std::io::Result<Self> {
        let own = Arc::clone(provider);
        let reading = std::thread::Builder::new()
            .name("certificates".to_owned())
            .spawn(move || Verifier::new(own))?;
        Ok(Self {
            provider: Arc::clone(provider),
            reading: Mutex::new(Some(reading)),
            verifier: OnceLock::new(),
        })
    }

    fn verifier(&self) -> Result<&Verifier, Error> {
        let verifier = self.verifier.get_or_init(|| {
            let reading = self
                .reading
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let read = reading.and_then(|thread| thread.join().ok());
            read.unwrap_or_else(|| {
                let what = "the certificates of this machine cannot be read";
                Err(Error::General(what.to_owned()))
            })
        });
        verifier.as_ref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for Awaited {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?
            .verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?
            .verify_tls13_signature(message, cert, signed)
    }

    /// What the verifier will say: it has the same algorithms.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
