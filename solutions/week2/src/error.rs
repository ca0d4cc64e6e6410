//! What can be wrong with a request, and the response that says so.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use thiserror::Error;

/// A rule that the request's values break. The frontend shows a text for each code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    BlankUserHandle,
    SearchTermBlank,
    TtlBlank,
    MessageBlank,
    MessageExceedMaxChars,
    /// Misspelt in the API from its first day; clients compare the text.
    UserRecieverHandleBlank,
}

/// Why a request has no success to show.
#[derive(Debug, Error)]
pub enum ApiError {
    /// 422 with a JSON array of codes.
    #[error("the request breaks a rule: {0:?}")]
    Invalid(Vec<Violation>),
    /// 404.
    #[error("there is nothing at this address")]
    NotFound,
    /// 400 for malformed JSON, 415 for another content type, 413 for too much of it.
    #[error("{0}")]
    Body(#[from] JsonRejection),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Invalid(violations) => {
                return (StatusCode::UNPROCESSABLE_ENTITY, Json(violations)).into_response();
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            // Well-formed JSON of the wrong shape. Axum's 422 would break the promise that the
            // body of a 422 is an array of codes.
            Self::Body(JsonRejection::JsonDataError(_)) => StatusCode::BAD_REQUEST,
            Self::Body(rejection) => rejection.status(),
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

/// [`axum::Json`] whose rejections are [`ApiError`]s.
pub struct JsonBody<T>(pub T);

impl<T, S> FromRequest<S> for JsonBody<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// Where a path leads nowhere.
pub async fn not_found() -> ApiError {
    ApiError::NotFound
}
