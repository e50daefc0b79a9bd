select auction, bidder, price, date_time as dt, extra from bid
