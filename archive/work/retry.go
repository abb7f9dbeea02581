package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dangan/archive"
)

// List reads every job, for a person to look at. With an error that is only
// archive.ErrCorrupt, the jobs that could be read are all there.
func List(ctx context.Context, store Store) ([]archive.Job, error) {
	var (
		jobs    []archive.Job
		damaged []error
	)
	for job, err := range store.Jobs(ctx) {
		switch {
		case errors.Is(err, archive.ErrCorrupt):
			damaged = append(damaged, err)
		case err != nil:
			return nil, fmt.Errorf("list jobs: %w", err)
		default:
			jobs = append(jobs, job)
		}
	}
	return jobs, errors.Join(damaged...)
}

// Retry makes a job due again as if it had never failed: the next sweep of any
// replica takes it, dead or not. One that is done meanwhile runs once more, which
// handlers allow.
func Retry(ctx context.Context, store Store, job archive.Job) error {
	job.Attempts, job.Failure, job.Dead, job.Next = 0, "", false, time.Time{}
	if err := store.PutJob(ctx, job); err != nil {
		return fmt.Errorf("retry job: %w", err)
	}
	return nil
}
