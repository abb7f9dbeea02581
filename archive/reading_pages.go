package archive

import "time"

// PageSize is how a page lies in its file, and how it is meant to be seen.
type PageSize struct {
	// Width and Height are of the visible part, in points of 1/72 inch, before
	// the page is turned. A picture that does not say how large it is has as
	// many points as pixels.
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	// Rotate is how far it is turned to be read, clockwise: 0, 90, 180 or 270.
	Rotate int `json:"rotate,omitempty"`
}

// Signature is a digital signature on a file, as far as the file itself tells.
// Whether its signer is to be trusted is not said here.
type Signature struct {
	State SignatureState `json:"state"`
	// Whole means that it covers the file to its end: nothing was added later.
	Whole bool `json:"whole"`
	// Signer is the common name in its certificate, or the organization.
	Signer string `json:"signer,omitempty"`
	// At is when it was signed, as the signer says; zero when he does not.
	At time.Time `json:"at,omitzero"`
}

// SignatureState is what became of the bytes that were signed.
type SignatureState string

const (
	// SignatureIntact: the bytes it covers are those that the key of its
	// certificate has signed.
	SignatureIntact SignatureState = "intact"
	// SignatureBroken: they are others.
	SignatureBroken SignatureState = "broken"
	// SignatureUnknown: of a kind that is not checked here.
	SignatureUnknown SignatureState = "unknown"
)
