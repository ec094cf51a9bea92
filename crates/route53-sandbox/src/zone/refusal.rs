//! Every answer other than success, with the code and wording of the service.

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The batch contradicts the zone or the rules of DNS; nothing was applied.
    #[error("[{}]", .0.join(", "))]
    InvalidChangeBatch(Vec<String>),
    /// A field is missing, out of range or outside what the sandbox imitates.
    #[error("{0}")]
    InvalidInput(String),
    /// The body is not the expected document.
    #[error("{0}")]
    MalformedInput(String),
    /// No zone has the id.
    #[error("No hosted zone found with ID: {0}")]
    NoSuchHostedZone(String),
    /// No change has the id.
    #[error("Could not find resource with ID: {0}")]
    NoSuchChange(String),
    /// The policy does not allow the request.
    #[error("{0}")]
    AccessDenied(String),
    /// The access key is not known, or its session token is not its own.
    #[error("The security token included in the request is invalid.")]
    InvalidClientTokenId,
    /// The request carries no signature.
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// The token bucket is empty, or a fault says so.
    #[error("Rate exceeded")]
    Throttling,
    /// Another change of the zone is still being processed.
    #[error("The request was rejected because Route 53 was still processing a prior request.")]
    PriorRequestNotComplete,
    /// The control plane is down.
    #[error("The service is temporarily unavailable.")]
    ServiceUnavailable,
    /// The path is none of the imitated operations.
    #[error("route53-sandbox does not imitate this operation")]
    UnknownOperation,
}

impl Refusal {
    /// The `Code` element.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidChangeBatch(_) => "InvalidChangeBatch",
            Self::InvalidInput(_) => "InvalidInput",
            Self::MalformedInput(_) => "MalformedInput",
            Self::NoSuchHostedZone(_) => "NoSuchHostedZone",
            Self::NoSuchChange(_) => "NoSuchChange",
            Self::AccessDenied(_) => "AccessDenied",
            Self::InvalidClientTokenId => "InvalidClientTokenId",
            Self::MissingAuthenticationToken => "MissingAuthenticationToken",
            Self::Throttling => "Throttling",
            Self::PriorRequestNotComplete => "PriorRequestNotComplete",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::UnknownOperation => "UnknownOperationException",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidChangeBatch(_)
            | Self::InvalidInput(_)
            | Self::MalformedInput(_)
            | Self::Throttling
            | Self::PriorRequestNotComplete => 400,
            Self::AccessDenied(_) | Self::InvalidClientTokenId | Self::MissingAuthenticationToken => 403,
            Self::NoSuchHostedZone(_) | Self::NoSuchChange(_) | Self::UnknownOperation => 404,
            Self::ServiceUnavailable => 503,
        }
    }
}
