/* matcher_trial.h - tokens that a matcher takes to see what would follow, and forgets: state and history come back as
 * they were. For the sampler, whose calls allocate nothing. */
#ifndef WEIR_HOST_MATCHER_TRIAL_H
#define WEIR_HOST_MATCHER_TRIAL_H

#include "weir.h"

/* From the one to the other a matcher only accepts, fills masks and says whether it accepts or is stopped: accepted
 * tokens are not noted for rollback, and validate and assign use the same scratch. NULL is fine. */
void matcher_begin_trial(weir_matcher *m);
void matcher_end_trial(weir_matcher *m);

#endif
